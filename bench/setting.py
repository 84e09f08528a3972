"""Setting: variants of the founding exercise with solution, wrong answers and scheme, and sheets for students as PDF.

Checked first: every exercise of the bank is worked out once more and compared; the same seed gives the same bank. Then
timed, on one core: `variants` draws the numbers and makes the exercises, `bank` writes them as JSON, `sheets` writes
question and answer sheet of each student as a PDF of its own. The promise is 60 s for 1,000 variants and for 500 PDFs.
"""

from __future__ import annotations

import time

from common import ROOT, Different, save, table, title

NET = ROOT / "examples" / "q3.bh"


def main(*, full: bool = False) -> None:
    import backhand
    from backhand import handout
    from backhand.setting.check import verify

    variants, students = (1_000, 500) if full else (200, 50)
    title(f"setting: {variants} variants of the founding exercise, {students} students' sheets as PDF")
    graph = backhand.read(NET)
    few = backhand.set(graph, n=20, seed=3, name="q3.bh")
    if verify(few.exercises).findings:
        raise Different("a bank that was just made")
    if handout.quiz(few, "json") != handout.quiz(backhand.set(graph, n=20, seed=3, name="q3.bh"), "json"):
        raise Different("the bank of the same seed")
    print("  twenty exercises hold when they are worked out once more, and come out the same again")

    start = time.process_time()
    bank = backhand.set(graph, n=variants, seed=7, name="q3.bh")
    made = time.process_time() - start
    start = time.process_time()
    size = len(handout.quiz(bank, "json"))
    written = time.process_time() - start
    rows = [
        [
            f"{variants} variants",
            f"{made:.1f} s",
            f"{1000 * made / variants:.0f} ms",
            f"{1000 * made / variants:.0f} s",
        ],
        ["as JSON", f"{written:.1f} s", f"{1000 * written / variants:.1f} ms", f"{1000 * written / variants:.1f} s"],
    ]
    timed = {"variants": variants, "variants_s": made, "json_s": written, "json_bytes": size}
    try:
        import typst  # noqa: F401 - whether it is there
    except ImportError:
        print("  typst is not installed: no PDF is made")
    else:
        few = backhand.Bank(bank.title, bank.exercises[:students], bank.text)
        start = time.process_time()
        pages = [b"".join(chunks) for _, chunks in handout.files(few, "pdf", ["question", "answer"])]
        printed = time.process_time() - start
        per = printed / students
        rows.append(
            [f"{students} students, two PDFs each", f"{printed:.1f} s", f"{1000 * per:.0f} ms", f"{1000 * per:.0f} s"]
        )
        timed |= {"students": students, "pdf_s": printed, "pdf_bytes": sum(map(len, pages))}
    table(["what", "time", "each", "a thousand"], rows)
    worst = min(one.telling.weighted for one in bank.exercises)
    mean = sum(one.telling.weighted for one in bank.exercises) / variants
    stands = backhand.set(graph).exercises[0].telling.weighted
    print(
        f"  habits told apart, weighted: {mean:.2f} on average, {worst:.2f} at worst; {stands:.2f} on the exercise as it stands"
    )
    save("setting", timed | {"weighted_mean": mean, "weighted_least": worst})
