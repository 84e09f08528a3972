"""The command line: read arguments, call a verb, hand the result to a writer. Nothing is computed here.

Results go to standard output, everything else to standard error. Exit status 0: done; 2: unreadable
input or wrong usage; 3: a mistake in Backhand; 1: something was marked wrong, under `mark --strict` only. No
traceback without --debug.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
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
    """Backpropagation by hand: solve a network with its whole working, and mark somebody's own working.

    \b
    Examples:
      backhand solve examples/q3.bh                 the working, in the terminal
      backhand solve examples/q3.bh -o q3.html      a page with the figure
      backhand mark  examples/q3.bh examples/q3-answer.md
                                                    each line of an answer judged
      backhand draw  examples/q3.bh -o q3.svg       the figure as in the question
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
    help="text, markdown, latex, html, json or svg (default: text, or by the suffix of OUT).",
)
@click.option("--float", "floats", is_flag=True, help="Floats instead of exact numbers: for large networks.")
@click.option("--tidy", is_flag=True, help="Simplify formulas of networks in symbols (needs the extra: symbols).")
@click.option(
    "--layout",
    metavar="L",
    default="",
    help="Of arrays: column or row (vectors), denominator or numerator (shape of derivatives); a comma between.",
)
@OUT
def solve(
    *, net: str, of: str | None, wrt: tuple[str, ...], pairs: bool, paths: bool, detail: Any,
    format_: str | None, floats: bool, tidy: bool, layout: str, output: str | None,
) -> None:  # fmt: skip
    """Every value and every derivative of a network, with the working.

    NET is a file in the notation, or - for standard input.

    \b
    Examples:
      backhand solve q3.bh --detail full            each local derivative worked out
      backhand solve q3.bh --of D --wrt A1          one derivative
      backhand solve q3.bh --pairs --format json    all of them, for a program
      backhand solve q3.bh -o q3.html               a page; also .md .tex .json .svg .txt
    """
    from backhand.display import format_of, formatted
    from backhand.solving.solve import solve as solve_graph

    _not_over_itself(net, output)
    chosen = format_ or (format_of(output) if output else "text")
    graph = _read(net)
    solution = solve_graph(
        graph,
        of=of,
        wrt=wrt or None,
        pairs=pairs,
        paths=paths,
        numbers="float" if floats else "exact",
        title=_title(net),
        layout=_layout(layout),
    )
    if tidy:
        from backhand.solving.tidy import tidied

        solution = tidied(solution)
    options = _terminal() if chosen == "text" and not output else {}
    _put(formatted(solution, chosen, detail=detail, **options), output)


def _layout(text: str) -> Any:
    """What --layout says."""
    from backhand.solving.solution import Layout

    found = Layout()
    for word in filter(None, (part.strip() for part in text.split(","))):
        if word in ("column", "row"):
            found = found._replace(vectors=word)  # type: ignore[arg-type]
        elif word in ("denominator", "numerator"):
            found = found._replace(derivatives=word)  # type: ignore[arg-type]
        else:
            raise UsageError(
                f"--layout {word} is not known.", cure="Say column or row, denominator or numerator, or one of each."
            )
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
@click.option(
    "--format",
    "format_",
    metavar="F",
    help="text, markdown, latex, html, json or svg (default: text, or by the suffix of OUT).",
)
@OUT
def mark(
    *, net: str, answer: tuple[str, ...], of: str | None, policy: str | None, strict: bool, hints: bool,
    tables: str | None, format_: str | None, output: str | None,
) -> int:  # fmt: skip
    """Judge somebody's own working: each line, the first wrong step, the habit behind it, and points.

    NET is the network of the question, ANSWER the working as Markdown, LaTeX or plain text, on one page or several.
    One of them may be - for standard input.

    \b
    Examples:
      backhand mark q3.bh q3-answer.md                 the page with ticks, crosses and remarks
      backhand mark q3.bh q3-answer.md -o marked.html  a page to hand back; also .md .tex .json .svg .txt
      backhand mark q3.bh page-1.md page-2.md          one answer on two pages
      backhand mark q3.bh - --hints < q3-answer.md     what to look at again, no answers
      backhand mark q3.bh q3-answer.md --policy my-points.toml --format json
    """
    from backhand.display import format_of, formatted

    for name in (net, *answer, *((policy,) if policy else ())):
        _not_over_itself(name, output)
    chosen = format_ or (format_of(output) if output else "text")
    if [net, *answer].count("-") > 1:
        raise UsageError("Standard input can be read only once.", cure="Name files for the others.")
    if net != "-" and not net.endswith(".bh") and any(name.endswith(".bh") for name in answer):
        raise UsageError(f"{net} stands first, where the network does.", cure="Name the network before the answer.")
    graph = _read(net)
    from backhand.marking.mark import mark as mark_work
    from backhand.readers.answer import work_of

    work = work_of([_page(name) for name in answer])
    title = "Marked page" if answer == ("-",) else f"Marked: {', '.join(map(os.path.basename, answer))}"
    kept = None
    if tables is not None:
        from backhand.marking.tables import prepared

        kept = prepared(graph, of, folder=tables)
    marking = mark_work(work, graph, of=of, policy=_policy(policy), tables=kept, title=title)
    options = _terminal() if chosen == "text" and not output else {}
    _put(formatted(marking, chosen, hints=hints, **options), output)
    return MARKED_WRONG if strict and any(each.verdict == "wrong" for each in marking.judgements) else DONE


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
    return {"width": shutil.get_terminal_size().columns, "color": color}


def _put(chunks: Iterator[str], output: str | None) -> None:
    """To the file, or to standard output, where nothing is printed of what fails in its first 4 million characters."""
    if output and output != "-":
        from backhand.display import save

        save(chunks, output)
        return
    waiting: list[str] = []
    size = 0
    for chunk in chunks:
        waiting.append(chunk)
        size += len(chunk)
        if size > 4_000_000:
            sys.stdout.writelines(waiting)
            waiting, size = [], 0
    sys.stdout.writelines(waiting)
    sys.stdout.flush()


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
