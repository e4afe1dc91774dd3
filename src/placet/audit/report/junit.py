"""The report in JUnit's XML, as builds read it: a suite of rules, and a suite of phases.

A rule that is broken is a failure for each of its findings, one that was not tested is skipped; a phase that
could not be verified is an error.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from placet.audit.judgement import Finding, Severity, Tested
from placet.audit.wording import Words

from .document import Report, graver
from .shown import shown


def junit(report: Report, language: str, least: Severity = "minor") -> bytes:
    """Return the XML; findings less grave than `least` are told, and fail nothing."""
    words = Words(language)
    grave = graver(least)
    site = shown(report.summary.landed or report.summary.address)
    root = Element("testsuites", name=f"placet audit {site}")
    rules = SubElement(root, "testsuite", name="rules")
    for tested in _tested(report):
        found = [each for each in report.judgement.findings if each.rule == tested.rule]
        _rule(rules, tested, found, grave, words)
    phases = SubElement(root, "testsuite", name="phases")
    for phase in report.summary.phases:
        case = _case(
            phases, "phases", f"{words.phase(phase.name)} {words.scenario(phase.scenario)}", phase.seconds
        )
        for each in report.judgement.unverified:
            if each.phase == phase.name:
                why = shown(words.reason(each.why))
                SubElement(case, "error", message=why, type="unverified").text = why
    for suite in (rules, phases):
        _total(suite, report)
    _total(root, report)
    indent(root)
    text: str = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _tested(report: Report) -> list[Tested]:
    """The rules in their order; those that only a finding names are among them."""
    rules = {tested.rule: tested for tested in report.judgement.tested}
    for finding in report.judgement.findings:
        rules.setdefault(finding.rule, Tested(rule=finding.rule, result="broken"))
    return sorted(rules.values(), key=lambda tested: (len(tested.rule), tested.rule))


def _rule(
    suite: Element, tested: Tested, found: list[Finding], grave: tuple[Severity, ...], words: Words
) -> None:
    failing = [finding for finding in found if finding.severity in grave]
    remarks = [finding for finding in found if finding.severity not in grave]
    name = f"{tested.rule} {words.rule(tested.rule)}".rstrip()
    case = _case(suite, "rules", name, 0)
    if failing:
        message = "; ".join(words.title(finding) for finding in failing)
        failure = SubElement(case, "failure", message=shown(message, 500), type=failing[0].severity)
        failure.text = "\n\n".join(_told(finding, words) for finding in failing)
    elif tested.result == "untested":
        SubElement(case, "skipped", message=shown(words.of("untested", tested.why)))
    if remarks:
        SubElement(case, "system-out").text = "\n\n".join(_told(finding, words) for finding in remarks)


def _told(finding: Finding, words: Words) -> str:
    lines = [f"{words.of('severities', finding.severity)}: {words.title(finding)}", words.seen(finding)]
    lines += [
        f"{words.phase(sight.phase)}, {words.state(sight.state)}: {sight.detail}" for sight in finding.sights
    ]
    if mend := words.mend(finding):
        lines.append(f"→ {mend}")
    return "\n".join(shown(line) for line in lines)


def _case(suite: Element, kind: str, name: str, seconds: float) -> Element:
    return SubElement(
        suite, "testcase", classname=f"placet.audit.{kind}", name=shown(name, 300), time=f"{seconds:.3f}"
    )


def _total(element: Element, report: Report) -> None:
    cases = list(element.iter("testcase"))
    element.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    element.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")
    if element.tag == "testsuite":
        element.set("timestamp", shown(report.summary.started.removesuffix("Z").partition("+")[0]))
