"""Where the endpoints of /api/v1/ stand, with their schema and its page."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import IsAuthenticated
from rest_framework.routers import SimpleRouter

from accounts.api import OrganizationViewSet
from accounts.api_auth import PageSession, TokenAuthentication
from core.problems import Nothing
from evaluators.api import ActivityViewSet, EvaluatorFilingViewSet, SiteViewSet
from funding.api import CapViewSet, StandardViewSet
from obligations.api import ObligationViewSet, PeriodViewSet
from reporting.api import RatesViewSet, ReportViewSet, SummaryViewSet
from schools.api import ApplicationViewSet, PlanViewSet, ProgrammeViewSet, RoundViewSet
from supervision.api import CaseViewSet

app_name = "api"
router = SimpleRouter(use_regex_path=False)
router.register("organizations", OrganizationViewSet, "organization")
router.register("periods", PeriodViewSet, "period")
router.register("obligations", ObligationViewSet, "obligation")
router.register("reports", ReportViewSet, "report")
router.register("summaries", SummaryViewSet, "summary")
router.register("rates", RatesViewSet, "rates")
router.register("cases", CaseViewSet, "case")
router.register("rounds", RoundViewSet, "round")
router.register("applications", ApplicationViewSet, "application")
router.register("programmes", ProgrammeViewSet, "programme")
router.register("plans", PlanViewSet, "plan")
router.register("caps", CapViewSet, "cap")
router.register("standards", StandardViewSet, "standard")
router.register("filings", EvaluatorFilingViewSet, "filing")
router.register("activities", ActivityViewSet, "activity")
router.register("sites", SiteViewSet, "site")

schema = SpectacularAPIView.as_view(
    authentication_classes=[TokenAuthentication, PageSession], permission_classes=[IsAuthenticated]
)
docs = SpectacularSwaggerSplitView.as_view(
    url_name="api:schema", template_name="core/api_docs.html", title="接口说明", authentication_classes=[]
)
# A page like the others: the stranger is led to the sign-in page.
docs.login_required = True  # type: ignore[attr-defined]

urlpatterns = [
    path("schema/", schema, name="schema"),
    path("docs/", docs, name="docs"),
    *router.urls,
    re_path(r"", Nothing.as_view()),
]
