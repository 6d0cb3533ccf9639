import pytest

from dumper.rules import codings


@pytest.mark.parametrize("missing", ["br", "zstd"])
def test_a_coding_whose_package_is_not_installed_is_left_out(monkeypatch, missing):
    monkeypatch.delitem(codings.COMPRESSORS, missing)
    made = codings.encoded(b"scoop " * 99, "text/html", ["zstd", "br", "gzip"])
    assert list(made) == [coding for coding in ("identity", "zstd", "br", "gzip") if coding != missing]
