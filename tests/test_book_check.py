"""The checks on a built site, one fault at a time, on pages written by hand."""

import pytest

from unforget.book import check

SOUND = """<html><head><link rel="stylesheet" href="_static/style.css"><link rel="canonical"
href="https://book.org/"><script src="_static/code.js"></script><script>var LIVE = "https://unpkg.com/thebe";</script></head>
<body><main>
<h1 id="top">Title</h1><a href="other.html#place">there</a> <a href="#top">up</a>
<a href="https://arxiv.org/">out</a>
<a class="download" href="_downloads/data.csv">data</a> <a href="mailto:a@b.org">write</a>
<img src="_images/line.svg" alt="A line that climbs from 3 to 4"></main></body></html>"""


@pytest.fixture
def site(tmp_path):
    for name, text in {
        "index.html": SOUND,
        "other.html": "<main><p id='place'>x</p></main>",
        "_downloads/data.csv": "a",
        "_images/line.svg": "<svg/>",
        "_static/code.js": "",
        "_static/style.css": "a {background: url(x)}",
        "_static/macros.html": '<a href="nowhere">a template</a>',
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def add(site, html, page="index.html"):
    path = site / page
    path.write_text(path.read_text().replace("</main>", f"{html}</main>"))
    return site


def test_a_sound_site_has_no_problems(site):
    assert check.all_checks(site) == []


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ('<a href="gone.html">x</a>', "gone.html: no such file"),
        ('<a href="other.html#gone">x</a>', "other.html#gone: no such place"),
        ('<a href="#gone">x</a>', "#gone: no such place"),
        ('<a href="_downloads/gone.csv" class="download">x</a>', "gone.csv: no such file"),
        ('<img src="_images/gone.png" alt="A line that climbs from 3 to 4">', "gone.png: no such file"),
        ('<script src="_static/gone.js"></script>', "gone.js: no such file"),
    ],
)
def test_dead_links(site, html, told):
    [problem] = check.dead_links(add(site, html))
    assert problem.startswith("index.html: ") and told in problem
    assert problem in check.all_checks(site)


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ('<img src="_images/line.svg">', "has no alt text"),
        ('<img src="_images/line.svg" alt=" ">', "has no alt text"),
        ('<img src="_images/line.svg" alt="_images/line.svg">', "a file name"),
        ('<img src="_images/line.svg" alt="../figures/accuracy.png">', "a file name"),
        ('<img src="_images/line.svg" alt="Figure 2">', "fewer than 4 words"),
    ],
)
def test_figures_without_a_meaningful_alt_text(site, image, told):
    [problem] = check.poor_alt_texts(add(site, image))
    assert told in problem and "line.svg" in problem
    assert problem in check.all_checks(site)


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.org/math.js"></script>',
        '<script src="//cdn.org/math.js"></script>',
        '<link rel="stylesheet" href="https://cdn.org/a.css">',
        '<link rel="shortcut icon" href="https://cdn.org/a.ico">',
        '<img src="https://cdn.org/a.png" alt="A line that climbs from 3 to 4">',
        '<img srcset="https://cdn.org/a.png 2x" src="_images/line.svg" alt="A line that climbs from 3 to 4">',
        '<iframe src="https://cdn.org/"></iframe>',
        '<object data="https://cdn.org/a.svg"></object>',
        '<style>@import "https://cdn.org/a.css";</style>',
        '<p style="background: url(https://cdn.org/a.png)">x</p>',
        '<script type="module">import mermaid from "https://cdn.org/m.mjs";</script>',
        '<script>let s = document.createElement("script"); s.src = "https://cdn.org/a.js";</script>',
    ],
)
def test_pages_that_need_the_network(site, html):
    [problem] = check.network_needs(add(site, html))
    assert problem.startswith("index.html: needs ") and "cdn.org" in problem
    assert problem in check.all_checks(site)


def test_styles_that_need_the_network(site):
    (site / "_static" / "style.css").write_text('@font-face {src: url("https://fonts.org/a.woff2")}')
    assert check.network_needs(site) == ["_static/style.css: needs https://fonts.org/a.woff2"]


def test_error_outputs(site):
    add(
        site,
        '<div class="output traceback highlight-ipythontb"><pre>Trace\nValueError: too small</pre></div>',
    )
    assert check.error_outputs(site) == ["index.html: an error output: ValueError: too small"]
    assert check.error_outputs(site)[0] in check.all_checks(site)


@pytest.mark.parametrize(
    "html",
    [
        r"<p>minimise $\mathcal{L}(\theta)</p>",
        r"<ul><li><p>\frac{\beta}{T-1} h(e)$:</p></li></ul>",
        r"<p>as $h_t<em>x</em> \beta$ and</p><p>more $\beta$</p>",
    ],
)
def test_formulas_that_are_not_set(site, html):
    [problem] = check.raw_maths(add(site, html))
    assert problem.startswith("index.html: a formula that is not set: ") and "\\" in problem
    assert problem in check.all_checks(site)


def test_directives_that_are_not_set(site):
    html = "<p>```{table} Runs, again with <code>--again</code>. :name: tab-runs</p><pre>```{table} as code</pre>"
    [problem] = check.raw_directives(add(site, html))
    assert problem == "index.html: a directive that is not set: ```{table} Runs, again with"
    assert problem in check.all_checks(site)


@pytest.mark.parametrize(
    "html",
    [
        r'<span class="math">\(\frac{1}{2}\)</span>',
        r"<pre>print('$\beta$')</pre>",
        r"<p>write <code>$\beta$</code>, for $5 or $6</p>",
    ],
)
def test_formulas_that_are_set_and_code_are_fine(site, html):
    assert check.raw_maths(add(site, html)) == []
