"""The command line: read arguments, call a verb, hand the result to a writer. Nothing is computed here.

Results go to standard output, everything else to standard error. Exit status 0: done; 2: unreadable
input or wrong usage; 3: a mistake in Backhand; 1: something was marked wrong, under `mark --strict`, or found false by
`lint`. No traceback without --debug.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Generator, Iterator
from typing import Any

import click

from backhand.errors import BackhandError, UsageError

DONE, MARKED_WRONG, WRONG_USAGE, OUR_FAULT, INTERRUPTED = 0, 1, 2, 3, 130


class _Suggesting(click.Group):
    """A group that says which command was probably meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.list_commands(ctx), n=1)
            cure = f"Did you mean {near[0]}?" if near else f"Commands: {', '.join(self.list_commands(ctx))}."
            raise click.UsageError(f"There is no command {args[0]}. {cure}", ctx) from error


@click.group(cls=_Suggesting, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="backhand", message="backhand %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def backhand(ctx: click.Context, *, debug: bool) -> None:
    """Backpropagation by hand: solve a network with its whole working, mark somebody's own working, set exercises.

    \b
    Examples:
      backhand solve examples/q3.bh                 the working, in the terminal
      backhand solve examples/q3.bh -o q3.html      a page with the figure
      backhand mark  examples/q3.bh examples/q3-answer.md
                                                    each line of an answer judged
      backhand set   examples/q3.bh -n 30 --seed 7 --to pdf -o sheets/
                                                    thirty exercises like it, each with solution and scheme
      backhand draw  examples/q3.bh -o q3.svg       the figure as in the question
      backhand lint  notes/                         lines of course notes that are false
      backhand code  examples/q3.bh --to torch      both passes as a program
      backhand solve - < q3.bh                      a network from standard input
    """
    ctx.obj = debug


NET = click.argument("net", metavar="NET", type=click.Path(allow_dash=True, path_type=str))
OUT = click.option("-o", "--output", metavar="OUT", help="Write to a file; its suffix chooses the format.")


@backhand.command()
@NET
@click.option("--of", metavar="NAME", help="The quantity to differentiate (default: L, or the last one).")
@click.option(
    "--wrt", metavar="NAME", multiple=True, help="By what to differentiate; may be repeated (default: everything)."
)
@click.option("--pairs", is_flag=True, help="Also the derivative of every quantity by every other.")
@click.option("--paths", is_flag=True, help="Also every way from each unit to the output, with its product.")
@click.option(
    "--detail",
    type=click.Choice(["brief", "steps", "full"]),
    default="steps",
    show_default=True,
    help="How much of the working.",
)
@click.option(
    "--format",
    "format_",
    metavar="F",
    help="text, markdown, latex, html, pdf, ipynb, json or svg (default: text, or by the suffix of OUT).",
)
@click.option("--float", "floats", is_flag=True, help="Floats instead of exact numbers: for large networks.")
@click.option("--tidy", is_flag=True, help="Simplify formulas of networks in symbols (needs the extra: symbols).")
@click.option("--second", is_flag=True, help="Also the second derivatives, by inputs, weights and biases or by --wrt.")
@click.option(
    "--per-example",
    metavar="NAME",
    multiple=True,
    help="Also the derivatives of each example: NAME is an array with one example a row.",
)
@click.option(
    "--values", metavar="FILE.npz", help="For large networks: values and derivatives to a file of arrays, no working."
)
@click.option(
    "--code",
    "language",
    metavar="LANG",
    help="Also both passes as code: numpy, torch, jax, python or c; a page links each line with its working.",
)
@click.option("--step", "rate", metavar="RATE", help="Also a step of gradient descent with this rate.")
@click.option("--steps", metavar="N", type=int, default=1, help="With --step: so many of them.")
@click.option(
    "--update", metavar="NAME", multiple=True, help="With --step: what is changed (default: all weights and biases)."
)
@click.option(
    "--in-place", is_flag=True, help="With --step: each weight is replaced before the way back goes on through it."
)
@click.option(
    "--layout",
    metavar="L",
    default="",
    help="Of arrays: column or row (vectors), denominator or numerator (shape of derivatives); a comma between.",
)
@OUT
def solve(
    *, net: str, of: str | None, wrt: tuple[str, ...], pairs: bool, paths: bool, detail: Any,
    format_: str | None, floats: bool, tidy: bool, second: bool, per_example: tuple[str, ...], rate: str | None,
    steps: int, update: tuple[str, ...], in_place: bool, layout: str, values: str | None, language: Any,
    output: str | None,
) -> None:  # fmt: skip
    """Every value and every derivative of a network, with the working.

    NET is a file in the notation, or - for standard input.

    \b
    Examples:
      backhand solve q3.bh --detail full            each local derivative worked out
      backhand solve q3.bh --of D --wrt A1          one derivative
      backhand solve q3.bh --pairs --format json    all of them, for a program
      backhand solve q3.bh --step 0.5               new weights, and the values after
      backhand solve q3.bh -o q3.html               a page; also .md .tex .json .svg .txt
      backhand solve q3.bh --code numpy -o q3.html  with both passes as code, linked line by line
    """
    from backhand.display import format_of, pieces
    from backhand.solving.solve import solve as solve_graph

    _not_over_itself(net, output)
    chosen = format_ or (format_of(output) if output else "text")
    graph = _read(net)
    if values:
        _keep(graph, net, values, of)
        return
    solution = solve_graph(
        graph,
        of=of,
        wrt=wrt or None,
        pairs=pairs,
        paths=paths,
        numbers="float" if floats else "exact",
        title=_title(net),
        layout=_layout(layout),
        step=_step(rate, steps, update, in_place=in_place),
        second=second,
        batch=per_example,
        code=language,
    )
    if tidy:
        from backhand.solving.tidy import tidied

        solution = tidied(solution)
    options = _terminal() if chosen == "text" and not output else {}
    _put(pieces(solution, chosen, detail=detail, **options), output)


def _keep(graph: Any, net: str, file: str, of: str | None) -> None:
    """Values and derivatives to a file; on a terminal it is said what is being done."""
    from backhand.engines.keeping import keep

    _not_over_itself(net, file)
    shown = sys.stderr.isatty()

    def say(words: str) -> None:
        if shown:
            click.echo(f"\r\x1b[K{words} ...", err=True, nl=False)

    output = keep(graph, file, of=of, say=say)
    if shown:
        click.echo("\r\x1b[K", err=True, nl=False)
    click.echo(f"{file}: all values, and the derivatives of {output}.")


def _step(rate: str | None, steps: int, update: tuple[str, ...], *, in_place: bool) -> Any:
    """What --step and its companions say; None to leave it to the network."""
    if rate is None:
        if steps != 1 or update or in_place:
            raise UsageError("--steps, --update and --in-place belong to a step.", cure="Say its rate: --step 0.5.")
        return None
    from backhand.core.graph import Update
    from backhand.solving.stepping import rate_of

    return Update(rate_of(rate), "lr", update, steps, in_place)


VECTORS = ("column", "row")
DERIVATIVES = ("denominator", "numerator")
LAYOUTS = "Say column or row, denominator or numerator, or one of each."


def _layout(text: str) -> Any:
    """What --layout says."""
    from backhand.solving.solution import Layout

    found = Layout()
    if not text:
        return found
    told = [part.strip() for part in text.split(",")]
    for word in told:
        if word in VECTORS:
            found = found._replace(vectors=word)  # type: ignore[arg-type]
        elif word in DERIVATIVES:
            found = found._replace(derivatives=word)  # type: ignore[arg-type]
        else:
            raise UsageError(f"--layout {word or text} is not known.", cure=LAYOUTS)
    if any(sum(word in kind for word in told) > 1 for kind in (VECTORS, DERIVATIVES)):
        raise UsageError(f"--layout {text} chooses one thing twice.", cure=LAYOUTS)
    return found


@backhand.command()
@NET
@click.argument("answer", metavar="ANSWER...", nargs=-1, required=True, type=click.Path(allow_dash=True, path_type=str))
@click.option("--of", metavar="NAME", help="The quantity that is differentiated (default: L, or the last one).")
@click.option(
    "--policy", metavar="FILE", type=click.Path(path_type=str), help="Points for what: a TOML file of your own."
)
@click.option("--strict", is_flag=True, help="End with status 1 if something is wrong on the page.")
@click.option("--hints", is_flag=True, help="Remarks without the answers.")
@click.option(
    "--tables",
    metavar="FOLDER",
    type=click.Path(path_type=str),
    help="Keep there what is worked out once for the network, and use it for the next answer: for a whole class.",
)
@click.option("--student", metavar="NAME", help="Whose answer it is, where NET is a bank that was made for a roster.")
@click.option("--number", metavar="N", type=int, help="To which exercise of a bank it is an answer.")
@click.option(
    "--format",
    "format_",
    metavar="F",
    help="text, markdown, latex, html, pdf, json or svg (default: text, or by the suffix of OUT).",
)
@OUT
def mark(
    *, net: str, answer: tuple[str, ...], of: str | None, policy: str | None, strict: bool, hints: bool,
    tables: str | None, student: str | None, number: int | None, format_: str | None, output: str | None,
) -> int:  # fmt: skip
    """Judge somebody's own working: each line, the first wrong step, the habit behind it, and points.

    NET is the network of the question, or what `backhand set` has made: a bank or its folder. Which exercise of it is
    meant, the small print on the sheet says, or the name of the file, or --student, or --number. ANSWER is the working
    as Markdown, LaTeX or plain text, on one page or several. One of the files may be - for standard input.

    \b
    Examples:
      backhand mark q3.bh q3-answer.md                 the page with ticks, crosses and remarks
      backhand mark q3.bh q3-answer.md -o marked.html  a page to hand back; also .md .tex .json .svg .txt
      backhand mark q3.bh page-1.md page-2.md          one answer on two pages
      backhand mark q3.bh - --hints < q3-answer.md     what to look at again, no answers
      backhand mark q3.bh q3-answer.md --policy my-points.toml --format json
      backhand mark sheets/ ada.md --student "Ada Lovelace"
    """
    from backhand.display import format_of, pieces

    for name in (net, *answer, *((policy,) if policy else ())):
        _not_over_itself(name, output)
    chosen = format_ or (format_of(output) if output else "text")
    if [net, *answer].count("-") > 1:
        raise UsageError("Standard input can be read only once.", cure="Name files for the others.")
    if net != "-" and not net.endswith(".bh") and any(name.endswith(".bh") for name in answer):
        raise UsageError(f"{net} stands first, where the network does.", cure="Name the network before the answer.")
    from backhand.marking.mark import mark as mark_work
    from backhand.readers.answer import work_of

    bank = _bank(net)
    if bank is None and (student is not None or number is not None):
        raise UsageError(f"{net} is one network, and no bank of exercises.", cure="Leave --student and --number out.")
    graph: Any = _read(net) if bank is None else None
    work = work_of([_page(name) for name in answer])
    if bank is not None:
        from backhand.setting.finding import find

        texts = [source.text for source in work.sources]
        names = [os.path.splitext(os.path.basename(name))[0] for name in answer]  # noqa: PTH119, PTH122 - as in _title
        exercise = find(bank, student=student, number=number, texts=texts, names=names)
        graph, of = exercise.graph, of or exercise.of
    title = "Marked page" if answer == ("-",) else f"Marked: {', '.join(map(os.path.basename, answer))}"
    kept = None
    if tables is not None:
        from backhand.marking.tables import prepared

        kept = None if graph.arrays else prepared(graph, of, folder=tables)  # nothing is foreseen about arrays
    marking = mark_work(work, graph, of=of, policy=_policy(policy), tables=kept, title=title)
    options = _terminal() if chosen == "text" and not output else {}
    _put(pieces(marking, chosen, hints=hints, **options), output)
    return MARKED_WRONG if strict and any(each.verdict == "wrong" for each in marking.judgements) else DONE


@backhand.command("set")
@click.argument("source", metavar="NET-or-RECIPE", required=False, type=click.Path(allow_dash=True, path_type=str))
@click.option(
    "-n", "count", metavar="N", type=int, help="How many exercises; without it one, the network as it stands."
)
@click.option("--seed", metavar="S", type=int, help="The same seed gives the same exercises (default: 1).")
@click.option("--of", metavar="NAME", help="The quantity to differentiate (default: L, or the last one).")
@click.option(
    "--kinds",
    metavar="K,K",
    help="What is asked: values, derivatives, pairs, path, mistake, working (default: values,derivatives).",
)
@click.option("--weights", is_flag=True, default=None, help="Ask for the derivatives by weights and biases as well.")
@click.option("--digits", metavar="D", type=click.IntRange(1, 12), help="Decimals of rounded answers (default: 4).")
@click.option(
    "--aim", metavar="KEY", help="Make them sharp on one mistake, by its key or id: one-path-straight, or P1."
)
@click.option(
    "--roster", metavar="FILE", type=click.Path(path_type=str), help="Names in a CSV file: an exercise for each."
)
@click.option(
    "--to",
    "form",
    metavar="FORMAT",
    help="text, markdown, html, latex, typst, pdf, ipynb; moodle, qti, prairielearn, csv, json.",
)
@click.option(
    "--parts",
    metavar="P,P",
    help="Which sheets: question, answer, solution, scheme (default: all).",
)
@click.option("--together", is_flag=True, help="In a folder: one file for each part, not one for each exercise.")
@click.option("--title", metavar="WORDS", help="The headline of the sheets.")
@click.option(
    "--check", metavar="FILE", type=click.Path(path_type=str), help="Work out a whole bank once more, and compare."
)
@click.option("--list", "listed", is_flag=True, help="The recipes that come with Backhand.")
@OUT
def set_(
    *, source: str | None, count: int | None, seed: int | None, of: str | None, kinds: str | None,
    weights: bool | None, digits: int | None, aim: str | None, roster: str | None, form: str | None,
    parts: str | None, together: bool, title: str | None, check: str | None, listed: bool, output: str | None,
) -> int:  # fmt: skip
    """Exercises whose wrong answers tell what went wrong: new numbers, solution, marking scheme.

    NET is a network, to be varied; RECIPE a TOML file (docs/recipes.md), or the name of a recipe that comes with
    Backhand.

    \b
    Examples:
      backhand set q3.bh                               the exercise as it stands, with solution and scheme
      backhand set q3.bh -n 30 --seed 7 --to pdf -o sheets/
                                                       thirty variants, four sheets each, and bank.json
      backhand set two-layers --roster names.csv --to html -o class/
                                                       one for each student; backhand mark class/ ada.md finds it again
      backhand set neuron -n 50 -o neuron.xml          a question bank for Moodle; .zip for Canvas
      backhand set q3.bh -n 5 --aim one-path-straight  a retest
      backhand set --check sheets/                     every number of a bank worked out once more
      backhand set --list                              the ten recipes
    """
    if listed:
        _put(iter(_recipes()), output)
        return DONE
    if check is not None:
        return _checked(check, output)
    if source is None:
        raise UsageError("Of what? No network and no recipe is named.", cure="backhand set --list names ten recipes.")
    from backhand import handout
    from backhand.setting.set import set as set_exercises
    from backhand.setting.set import summary

    _not_over_itself(source, output)
    folder = output is not None and (output.endswith(("/", os.sep)) or os.path.isdir(output))  # noqa: PTH112 - as above
    chosen = handout.check_format(form or ("text" if output is None or folder else handout.format_of(output)))
    wanted = _parts(parts)
    students = _roster(roster)
    recipe = _recipe(source)
    with _progress("exercises") as told:
        bank = set_exercises(
            recipe,
            n=count,
            seed=seed,
            of=of,
            kinds=_kinds(kinds),
            weights=weights,
            digits=digits,
            aim=aim,
            roster=students,
            name="network" if source == "-" else os.path.basename(source),  # noqa: PTH119 - as above
            title=title or "",
            progress=told,
        )
    if folder:
        assert output is not None
        made = handout.files(bank, chosen, wanted, together=together)
        total = 2 + len(wanted) * (1 if together else len(bank.exercises))
        with _progress("files") as told:
            handout.write_folder(made, output, _counting(told, total))
    else:
        options = _terminal() if chosen == "text" and not output else {}
        _put(handout.content(bank, chosen, wanted, **options), output)
    for sentence in summary(bank):
        print(sentence, file=sys.stderr)  # noqa: T201 - standard error is for this
    return DONE


@backhand.command()
@NET
@click.option("--solved", is_flag=True, help="With every value and derivative.")
@click.option("--of", metavar="NAME", help="With --solved: the quantity to differentiate.")
@OUT
def draw(*, net: str, solved: bool, of: str | None, output: str | None) -> None:
    """The figure of a network as SVG.

    \b
    Examples:
      backhand draw q3.bh -o q3.svg                 as in the question
      backhand draw q3.bh --solved -o answer.svg    values above, derivatives below
    """
    from backhand.display import svg

    _not_over_itself(net, output)
    graph = _read(net)
    if output and not output.lower().endswith(".svg"):
        raise UsageError(f"{output} does not end in .svg, and a figure is drawn as SVG.", cure="Name it so.")
    if solved:
        from backhand.solving.solve import solve as solve_graph

        text = svg(solve_graph(graph, of=of, title=_title(net)))
    else:
        text = svg(graph)
    _put(iter([text]), output)


@backhand.command()
@NET
@click.option("--to", metavar="LANGUAGE", help="numpy (default), torch, jax, python or c.")
@click.option("--of", metavar="NAME", help="The quantity to differentiate (default: L, or the last one).")
@OUT
def code(*, net: str, to: str | None, of: str | None, output: str | None) -> None:
    """Both passes of a network as a program: every value and every derivative in a line of its own.

    It runs by itself and prints the numbers. For torch and jax it also compares with the library's own derivatives.

    \b
    Examples:
      backhand code net.bh                          NumPy, in the terminal
      backhand code net.bh --to torch -o net.py     PyTorch, without its autograd until the end
      backhand code net.bh -o net.c                 C99: cc net.c -lm -o net
    """
    from backhand.coding.code import coded, kept_beside, language_of

    _not_over_itself(net, output)
    title = "" if net == "-" else os.path.basename(net)  # noqa: PTH119 - as above
    beside = kept_beside(output) if output and output != "-" else ""
    made = coded(_read(net), language_of(to, output), of, title=title, beside=beside)
    if made.arrays and output:
        from backhand.display import save_arrays

        save_arrays(made.arrays, os.path.join(os.path.dirname(output), beside))  # noqa: PTH118, PTH120 - as above
        click.echo(f"Arrays too large to be written out are in {beside}, beside {output}.", err=True)
    _put(iter([made.text]), output)


@backhand.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=str))
@click.option(
    "--format",
    "format_",
    metavar="F",
    type=click.Choice(["text", "github", "json"]),
    default="text",
    show_default=True,
    help="text, github (annotations beside the lines) or json.",
)
@click.option(
    "--baseline", metavar="FILE", type=click.Path(path_type=str), help="Findings that are known and do not count."
)
@click.option(
    "--write-baseline", metavar="FILE", type=click.Path(path_type=str), help="Write all findings there, and end well."
)
def lint(*, paths: tuple[str, ...], format_: str, baseline: str | None, write_baseline: str | None) -> int:
    """Hold course notes against the networks they work out; a false line is status 1.

    PATH is a file or a folder: Markdown, notebooks, and the comments and docstrings of Python files are read, and
    nothing is executed. A block ```bh, or a line `backhand: path/to/net.bh` (in the front matter, in <!-- -->, in a
    comment) says which network the following lines are about; `backhand: off` ends that.

    \b
    Examples:
      backhand lint notes/                              file:line:column of what is false
      backhand lint . --format github                   as annotations, in a GitHub workflow
      backhand lint . --write-baseline known.json       what is false today
      backhand lint . --baseline known.json             only what is false since then
    """
    from backhand.linting import formats
    from backhand.linting.lint import lint as lint_paths

    known = formats.read_baseline(baseline) if baseline is not None else ()
    report = lint_paths(*paths, baseline=known)
    if write_baseline is not None:
        _put(iter([formats.baseline_of(report)]), write_baseline)
    else:
        _put(formats.formatted(report, format_), None)
    print(report.summary, file=sys.stderr)  # noqa: T201 - standard error is for this
    return DONE if report.ok or write_baseline is not None else MARKED_WRONG


@backhand.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(*, shell: str) -> None:
    """Print the completion script of a shell; it is installed by you, never silently.

    \b
    Example:
      backhand completion bash >> ~/.bashrc
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    _put(iter([made(backhand, {}, "backhand", "_BACKHAND_COMPLETE").source(), "\n"]), None)


# -- in and out ------------------------------------------------------------------------------------------------


def _read(net: str) -> Any:
    """The network of a file or of standard input."""
    from backhand import readers

    if net != "-":
        return readers.read(readers.Path(net))
    return readers.read_text(readers.decode(_standard_input("Split the network."), "<stdin>"), "<stdin>")


def _recipe(source: str) -> Any:
    """A network or a recipe: a file, standard input, or the name of a recipe that comes with Backhand."""
    if source == "-":
        return _read(source)
    from backhand.readers import recipe as recipes

    if source.lower().endswith(".toml"):
        return recipes.read_recipe(recipes.Path(source))
    if not source.lower().endswith(".bh") and not os.path.exists(source):  # noqa: PTH110 - pathlib is not loaded yet
        return recipes.built_in(source)
    return _read(source)


def _recipes() -> Iterator[str]:
    """A line for each recipe that comes with Backhand."""
    from backhand.readers.recipe import built_in, built_in_names

    for name in built_in_names():
        yield f"{name:16}{built_in(name).title}\n"


def _bank(path: str) -> Any:
    """The exercises of a bank, or of the folder it lies in; None for a network."""
    place = os.path.join(path, "bank.json") if os.path.isdir(path) else path  # noqa: PTH112, PTH118 - as above
    if not place.lower().endswith((".json", ".xml", ".csv", ".zip")):
        return None
    from backhand.readers.quizzes import read_exercises

    return read_exercises(place)


def _checked(path: str, output: str | None) -> int:
    """What is not so in a bank; status 1 if anything is."""
    from backhand.setting.check import verify

    exercises = _bank(path)
    if exercises is None:
        raise UsageError(
            f"{path} is no bank of exercises.", cure="Name what backhand set has made: a folder, or bank.json."
        )
    found = verify(exercises)
    lines = [f"{finding}\n" for finding in found.findings]
    count = f"{found.exercises} exercise{'' if found.exercises == 1 else 's'}"
    numbers = f"{found.answers} answers, {found.wrong_answers} wrong answers"
    verdict = f"{len(lines)} differences" if lines else "all as it should be"
    lines.append(f"{path}: {count}, {numbers} and {count.replace('exercise', 'table')} of collisions: {verdict}.\n")
    _put(iter(lines), output)
    return MARKED_WRONG if found.findings else DONE


def _parts(words: str | None) -> Any:
    from backhand.explaining.sheets import PARTS

    if words is None:
        return PARTS
    parts = [word.strip() for word in words.split(",") if word.strip()]
    unknown = [part for part in parts if part not in PARTS]
    if unknown or not parts:
        what = f"There is no part {unknown[0]} of a sheet." if unknown else "No part of a sheet is named."
        raise UsageError(what, cure=f"Choose among {', '.join(PARTS)}.")
    return tuple(dict.fromkeys(parts))


def _kinds(words: str | None) -> Any:
    return None if words is None else [word.strip() for word in words.split(",") if word.strip()]


def _roster(path: str | None) -> tuple[str, ...]:
    if path is None:
        return ()
    from backhand.readers.roster import read_roster

    return read_roster(path)


@contextlib.contextmanager
def _progress(what: str) -> Generator[Any]:
    """Something to be told how many of how many are done: shown where standard error is a terminal, for what takes more
    than a moment."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=None)

        def told(done: int, total: int) -> None:
            shown.update(task, completed=done, total=total)

        yield told


def _counting(told: Any, total: int) -> Any:
    """For who is told names, one after the other."""
    if told is None:
        return None
    count = iter(range(1, total + 1))

    def counted(name: str) -> None:
        told(next(count, total), total)

    return counted


def _standard_input(cure: str) -> bytes:
    from backhand import limits

    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] - so it is when the stream was closed
        raise UsageError("Standard input is closed.", cure="Name a file instead of -.")
    data = sys.stdin.buffer.read(limits.BYTES + 1)
    if len(data) > limits.BYTES:
        raise UsageError(f"Standard input has more than {limits.BYTES} bytes.", cure=cure)
    return data


def _page(name: str) -> tuple[str, bytes]:
    """A page of an answer: its name and its bytes."""
    if name == "-":
        return "<stdin>", _standard_input("Give the pages one by one.")
    from backhand import readers

    return name, readers.contents(readers.Path(name))


def _policy(path: str | None) -> Any:
    """What is worth how many points; None for the policy that is used when nobody says otherwise."""
    if path is None:
        return None
    from backhand import readers
    from backhand.marking.policy import read_policy
    from backhand.text import Source

    return read_policy(Source(readers.load(readers.Path(path)), path))


def _title(net: str) -> str:
    return "Worked solution" if net == "-" else f"Worked solution of {os.path.basename(net)}"  # noqa: PTH119 - pathlib is not loaded yet


def _terminal() -> dict[str, Any]:
    """Width and colour where standard output is a terminal, nothing elsewhere."""
    forced = bool(os.environ.get("FORCE_COLOR"))
    if not sys.stdout.isatty() and not forced:
        return {}
    import shutil

    color = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return {"width": shutil.get_terminal_size().columns, "color": color, "only_ascii": _letters_missing()}


def _letters_missing() -> bool:
    """Whether the terminal shows only ASCII: its encoding has no other letters, or its font no tall brackets."""
    import locale

    encoding = locale.getpreferredencoding(False).casefold().replace("-", "")
    return os.environ.get("TERM") == "linux" or (os.name == "posix" and encoding != "utf8")


def _put(chunks: Iterator[str] | Iterator[bytes], output: str | None) -> None:
    """To the file, or to standard output, where nothing is printed of what fails in its first 4 million characters."""
    if output and output != "-":
        from backhand.display import save

        save(chunks, output)
        return
    waiting: list[str] = []
    size = 0
    for chunk in chunks:
        if isinstance(chunk, bytes):
            _put_bytes(chunk)
            continue
        waiting.append(chunk)
        size += len(chunk)
        if size > 4_000_000:
            sys.stdout.writelines(waiting)
            waiting, size = [], 0
    sys.stdout.writelines(waiting)
    sys.stdout.flush()


def _put_bytes(chunk: bytes) -> None:
    """To standard output; no terminal can show them."""
    if sys.stdout.isatty():
        raise UsageError("This format is no text that a terminal can show.", cure="Name a file with -o.")
    sys.stdout.flush()
    sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def _not_over_itself(net: str, output: str | None) -> None:
    """A result is not written over the file it comes from."""
    if output and os.path.exists(output) and os.path.exists(net) and os.path.samefile(net, output):  # noqa: PTH110, PTH121 - as above
        what = "the network itself" if net.endswith(".bh") else "what is read here"
        raise UsageError(f"{output} is {what}.", cure="Name another file for the result.")


def main(args: list[str] | None = None) -> None:
    """The command `backhand`; ends the process with its exit status."""
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] - so it is when the stream was closed
        print("backhand: standard output is closed; use -o to write to a file.", file=sys.stderr)  # noqa: T201
        sys.exit(WRONG_USAGE)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", newline="\n")
    sys.exit(run(sys.argv[1:] if args is None else args))


def run(args: list[str]) -> int:
    """Run a command line and return its exit status."""
    try:
        result = backhand.main(args=args, prog_name="backhand", standalone_mode=False)
        return result if isinstance(result, int) else DONE
    except BackhandError as error:
        if "--debug" in args:
            raise
        print(error, file=sys.stderr)  # noqa: T201 - standard error is for this
        return WRONG_USAGE
    except click.ClickException as error:
        error.show()
        return WRONG_USAGE
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        _forget_standard_output()
        return DONE
    except OSError as error:
        if "--debug" in args:
            raise
        print(f"{error.filename or 'standard output'}: {error.strerror or error}.", file=sys.stderr)  # noqa: T201
        return WRONG_USAGE
    except Exception as error:
        if "--debug" in args:
            raise
        _our_fault(error)
        return OUR_FAULT


def _our_fault(error: Exception) -> None:
    """What is said when an error is none that a reader's input should cause."""
    print(  # noqa: T201
        f"Backhand failed where it should not ({type(error).__name__}: {error}). "
        "This is a mistake in Backhand; please report it with the input. --debug shows where.",
        file=sys.stderr,
    )


def _forget_standard_output() -> None:
    """The reader of the pipe has gone; let the interpreter's own flush at exit find nothing to complain of."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
