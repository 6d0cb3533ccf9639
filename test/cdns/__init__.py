"""Fakes of CDNs: their documented purge APIs over real HTTP, and the pages that they keep.

    with Fastly() as cdn:
        cdn.keep("www.example.com", "/a/", "key1 key2")
        ...  # whatever calls cdn.url with cdn.key
        assert not cdn.holds("www.example.com", "/a/")

Written after the vendors' documents; none has ever met its vendor. Where these say nothing, a fake is strict.
"""
