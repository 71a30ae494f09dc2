"""All pages are read, once, and there is an end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ingest.platform.pages
from ingest.platform.errors import PlatformUnavailable
from ingest.platform.pages import paged_query, pages


class Listing:
    """A listing in given pages; remembers what it was asked."""

    def __init__(self, *answers):
        self.answers = answers
        self.asked = []

    def get(self, path, query=None, **path_params):
        self.asked.append((path, query, path_params))
        return self.answers[query["pageNumber"] - 1]

    def query(self, path, body):
        self.asked.append((path, body))
        number = body["paging"]["pageNumber"]
        return self.answers[number - 1] if number <= len(self.answers) else {}


def listed(chunks):
    last = len(chunks) - 1
    return [{"entities": c, **({"nextUri": "/next"} if n < last else {})} for n, c in enumerate(chunks)]


def rows(*sizes):
    """Pages of so many rows, all rows different."""
    start, chunks = 0, []
    for size in sizes:
        chunks.append([{"id": str(n)} for n in range(start, start + size)])
        start += size
    return chunks


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8))
def test_short_pages_are_not_the_end(sizes):
    chunks = rows(*sizes)
    reader = Listing(*listed(chunks))
    assert list(pages(reader, "/x/{id}", {"expand": ["skills"], "none": None}, id="q")) == chunks
    assert reader.asked == [
        ("/x/{id}", {"expand": ["skills"], "none": None, "pageSize": 100, "pageNumber": n}, {"id": "q"})
        for n in range(1, len(sizes) + 1)
    ]


@pytest.mark.parametrize("empty", [{}, {"entities": []}, {"entities": None}, {"entities": [], "nextUri": "/next"}])
def test_an_empty_page_ends_whatever_it_names(empty):
    chunks = rows(2)
    assert list(pages(Listing(empty), "/x")) == []
    assert list(pages(Listing({"entities": chunks[0], "nextUri": "/n"}, empty), "/x")) == chunks


def test_pages_are_read_only_when_wanted():
    reader = Listing(*listed(rows(1, 1, 1)))
    next(pages(reader, "/x"))
    assert len(reader.asked) == 1


def test_a_page_size_may_be_given():
    reader = Listing(*listed(rows(1)))
    list(pages(reader, "/x", {"pageSize": 25}))
    assert reader.asked[0][1] == {"pageSize": 25, "pageNumber": 1}


def test_a_page_over_again_is_an_error_not_an_endless_loop():
    one = {"entities": rows(2)[0], "nextUri": "/n"}
    with pytest.raises(PlatformUnavailable, match="/x: page 2 is page 1 over again"):
        list(pages(Listing(one, one), "/x"))
    with pytest.raises(PlatformUnavailable, match="page 2 is page 1 over again"):
        list(paged_query(Listing({"k": [1]}, {"k": [1]}), "/x", {}, "k"))


def test_there_is_an_end_to_pages_that_differ(monkeypatch):
    monkeypatch.setattr(ingest.platform.pages, "_MOST_PAGES", 20)
    endless = Listing(*({"entities": [n], "k": [n], "nextUri": "/n"} for n in range(99)))
    for read in (pages(endless, "/x"), paged_query(endless, "/x", {}, "k")):
        with pytest.raises(PlatformUnavailable, match="no end after 20 pages"):
            list(read)


@pytest.mark.parametrize("answer", [{"entities": "many"}, {"entities": {"id": 1}}])
def test_something_else_than_a_list_is_an_error(answer):
    with pytest.raises(PlatformUnavailable, match="not a list"):
        list(pages(Listing(answer), "/x"))


@given(st.lists(st.integers(1, 4), max_size=8))
def test_a_query_goes_on_to_the_first_empty_page(sizes):
    chunks = rows(*sizes)
    reader, body = Listing(*({"conversations": c} for c in chunks)), {"interval": "a/b"}
    assert list(paged_query(reader, "/q", body, "conversations", page_size=50)) == chunks
    assert [asked for _, asked in reader.asked] == [
        {"interval": "a/b", "paging": {"pageSize": 50, "pageNumber": n}} for n in range(1, len(sizes) + 2)
    ]
    assert body == {"interval": "a/b"}
