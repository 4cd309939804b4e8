"""Who looks after which evaluator (MOE 一(一)), proposals of credits (MOE 三(三))."""

import datetime as dt

from certificates import services as credit
from certificates.models import Certificate, CreditProposal
from core import clock, draft_files, drafts
from evaluators.models import Evaluator
from evaluators.services import charges
from reporting.demo import names, papers
from reporting.demo.province import DemoProvince

# The first evaluators are the coordinator's, the first of all being the one whose account is shown.
CHARGED = 5
SOURCE = "演示教职函〔2020〕15号（虚构）"
MORE = "请说明学分与考核等级对应的依据。（演示）"
PROPOSAL = "初级 2 学分，中级 3 学分，高级 4 学分；可对应专业核心课程。（演示）"


def certificate_of(subject: str) -> Certificate:
    return Certificate.objects.select_related("owner").get(
        name=names.certificate(subject), owner__is_demonstration=True
    )


def play(province: DemoProvince) -> None:
    _give_charges(province)
    _publish(province, "煤矿智能设备", dt.date(2020, 10, 26))
    _propose(province, _publish(province, "测绘处理", dt.date(2020, 9, 14)), dt.date(2020, 9, 28))
    late = _propose(province, _publish(province, "幼儿照护", dt.date(2020, 8, 10)), dt.date(2020, 9, 17))
    credit.accept_proposal(late, by=province.users["office1"], at=clock.at(dt.date(2020, 9, 21), dt.time(10)))
    wrong = _propose(province, _publish(province, "直播销售", dt.date(2020, 10, 12)), dt.date(2020, 11, 5))
    at = clock.at(dt.date(2020, 11, 16), dt.time(10))
    credit.return_proposal(wrong, comment=MORE, by=province.users["office1"], at=at)


def _give_charges(province: DemoProvince) -> None:
    office, coordinator = province.users["office1"], province.users["coordinator"]
    for number, pk in enumerate(list(province.evaluators)[:CHARGED]):
        charges.give(
            evaluator=Evaluator.objects.get(pk=pk),
            coordinator=coordinator,
            by=office,
            at=clock.at(dt.date(2019, 12, 3), dt.time(9, number)),
        )


def _publish(province: DemoProvince, subject: str, published_on: dt.date) -> CreditProposal:
    return credit.publish_certificate(
        certificate=certificate_of(subject),
        published_on=published_on,
        source=SOURCE,
        by=province.users["office1"],
        at=clock.at(published_on + dt.timedelta(days=1), dt.time(10)),
    )


def _propose(province: DemoProvince, proposal: CreditProposal, on: dt.date) -> CreditProposal:
    officer = province.evaluators[proposal.organization_id]
    at = clock.at(on, dt.time(15))
    proposal = credit.save_draft(
        proposal=proposal,
        typed={"text": PROPOSAL, draft_files.FIELD: ""},
        revision=proposal.draft_revision,
        by=officer,
        at=at,
        uploads=[papers.upload("学分记录建议方案")],
    )
    token = drafts.token_of(proposal, credit.content_of(proposal))
    credit.submit_proposal(proposal, token=token, by=officer, at=at + dt.timedelta(minutes=20))
    return proposal
