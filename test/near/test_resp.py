"""Messages of a Redis server, in whatever pieces they arrive."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dumper.near.resp import Garbage, Message, Reader

STREAM = (
    b"+OK\r\n"
    b">3\r\n$9\r\nsubscribe\r\n$4\r\nfeed\r\n:1\r\n"
    b"+PONG\r\n"
    b">2\r\n$10\r\ninvalidate\r\n*2\r\n$3\r\np:a\r\n$6\r\np\r\n:b\x00\r\n"
    b">2\r\n$10\r\ninvalidate\r\n_\r\n"
    b">2\r\n$10\r\ninvalidate\r\n*-1\r\n"
    b">2\r\n$10\r\ninvalidate\r\n*0\r\n"
    b"*2\r\n*1\r\n:-7\r\n*0\r\n"
    b"$-1\r\n"
    b"$0\r\n\r\n"
    b">0\r\n"
    b"-ERR no\r\n"
)
MESSAGES = [
    (b"+", b"OK"),
    (b">", [b"subscribe", b"feed", 1]),
    (b"+", b"PONG"),
    (b">", [b"invalidate", [b"p:a", b"p\r\n:b\x00"]]),
    (b">", [b"invalidate", None]),
    (b">", [b"invalidate", None]),
    (b">", [b"invalidate", []]),
    (b"*", [[-7], []]),
    (b"$", None),
    (b"$", b""),
    (b">", []),
    (b"-", b"ERR no"),
]


def read(*pieces: bytes) -> list[Message]:
    reader = Reader()
    return [message for piece in pieces for message in reader.read(piece)]


def test_each_message_is_read():
    assert read(STREAM) == MESSAGES


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pieces_of_any_size_make_the_same_messages(size):
    assert read(*(STREAM[at : at + size] for at in range(0, len(STREAM), size))) == MESSAGES


@given(st.lists(st.integers(0, len(STREAM)), max_size=10).map(sorted))
def test_pieces_of_different_sizes_make_the_same_messages(cuts):
    assert read(*(STREAM[a:b] for a, b in zip([0, *cuts], [*cuts, len(STREAM)], strict=True))) == MESSAGES


def test_a_message_is_given_with_its_last_byte_and_not_before():
    reader = Reader()
    stream = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n"
    assert not any(reader.read(stream[at : at + 1]) for at in range(len(stream) - 1))
    assert reader.read(stream[-1:]) == [(b">", [b"invalidate", [b"a"]])]


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\r\n",
        b"\x00\x01\x02\r\n",
        b"%1\r\n",
        b"$-2\r\n",
        b"$1x\r\na\r\n",
        b"$\xb2\r\n",
        b"$ 1\r\na\r\n",
        b"$1_0\r\n0123456789\r\n",
        b"$01\r\na\r\n",
        b"$3\r\nabcde\r\n",
        b"*99999999999999999999\r\n",
        b"*x\r\n",
        b">-1\r\n",
        b":\r\n",
        b":1.5\r\n",
        b"_x\r\n",
        b"*1\r\n>0\r\n",
        b">1\r\n!3\r\nERR\r\n",
    ],
)
def test_garbage_is_refused_wherever_it_comes(garbage):
    for before in (b"", STREAM, b">2\r\n"):
        with pytest.raises(Garbage):
            read(before + garbage)
        with pytest.raises(Garbage):
            read(before, *(garbage[at : at + 1] for at in range(len(garbage))))


@pytest.mark.slow
def test_a_large_message_in_small_pieces_takes_time_in_proportion_to_its_size():
    names = [b"p:%d" % number for number in range(200_000)]
    stream = b">2\r\n$10\r\ninvalidate\r\n*%d\r\n" % len(names) + b"".join(
        b"$%d\r\n%b\r\n" % (len(name), name) for name in names
    )
    reader = Reader()
    started = time.process_time()
    *_, last = [reader.read(stream[at : at + 1000]) for at in range(0, len(stream), 1000)]
    assert last == [(b">", [b"invalidate", names])]
    assert time.process_time() - started < 20  # read from its beginning with each piece, it takes minutes
