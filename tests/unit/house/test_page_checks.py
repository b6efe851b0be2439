"""The checks of every page: each of them can fail."""

import pytest

from tests.support.page_checks import Page

WELL = '<!doctype html><html lang="en"><title>Shelf</title><h1>Shelf</h1>{}</html>'


def problems(body: str) -> list[str]:
    return Page(WELL.format(body)).problems


def test_finds_nothing_on_a_page_that_is_well() -> None:
    assert (
        problems(
            '<form method="post"><input name="csrf_token"><label for="a">A</label><input id="a" name="a"></form>'
        )
        == []
    )


@pytest.mark.parametrize(
    "body,problem",
    [
        ("<h1>Again</h1>", "2 <h1> instead of one"),
        ('<p style="color:red">', "<p> has an inline style"),
        ('<button onclick="go()">', "<button> has an inline onclick"),
        ("<style>p {}</style>", "inline <style>"),
        ("<script>go()</script>", "inline <script>"),
        ('<a href=" JavaScript:go()">', "<a> has a script in its href"),
        ('<p id="a"></p><p id="a"></p>', "id 'a' stands 2 times"),
        ('<label for="nowhere">', "refers to an id 'nowhere' that is not there"),
        ('<form method="post" action="/x"></form>', "the form to /x carries no csrf_token"),
        ('<img src="a.png">', "an <img> without alt"),
    ],
)
def test_finds_what_is_wrong(body: str, problem: str) -> None:
    assert problem in problems(body)


def test_finds_a_missing_title_heading_and_language() -> None:
    assert Page("<!doctype html><html><p>Hello").problems == [
        "0 <h1> instead of one",
        "no title",
        "no language on <html>",
    ]


def test_reads_a_form_as_a_browser_would_send_it() -> None:
    page = Page(
        """<form action="/give"><input name="lot" value="A1"><input type="checkbox" name="seen" checked>
        <input type="checkbox" name="unseen"><input type="radio" name="side" value="L"><input type="radio" name="side" value="R" checked>
        <select name="site"><option value="deltoid">Arm</option><option value="vastus">Thigh</option></select>
        <select name="kind"><option value="a">A</option><option value="b" selected>B</option></select>
        <textarea name="note">\nTwo &amp; three</textarea><input name="off" disabled value="x">
        <button name="act" value="give">Give</button></form>"""
    )
    (form,) = page.forms
    assert form.action == "/give"
    assert form.fields == {
        "lot": ["A1"],
        "seen": ["on"],
        "side": ["R"],
        "site": ["deltoid"],
        "kind": ["b"],
        "note": ["Two & three"],
    }
    assert form.buttons == {"act": ["give"]}
