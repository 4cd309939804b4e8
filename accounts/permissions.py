"""Who may make and keep accounts, and for whom: never more than one has oneself."""

from accounts.models import ApiToken, Organization, Role, Scope, User

_BY_KIND: dict[str, frozenset[Role]] = {
    Organization.Kind.PROVINCE: frozenset(
        {
            Role.OFFICE,
            Role.FINANCE,
            Role.COORDINATOR,
            Role.LEADING_GROUP,
            Role.EXPERT,
            Role.THIRD_PARTY,
            Role.AUDITOR,
        }
    ),
    Organization.Kind.CITY: frozenset({Role.CITY_BUREAU}),
    # A lead school's coordinator works for the fields given to it (MOE 一(一)).
    Organization.Kind.SCHOOL: frozenset({Role.SCHOOL_CONTACT, Role.SCHOOL_LEADER, Role.COORDINATOR}),
    Organization.Kind.EVALUATOR: frozenset({Role.EVALUATOR}),
}
_SCHOOL_ROLES = frozenset({Role.SCHOOL_CONTACT, Role.SCHOOL_LEADER})
_NONE: frozenset[Role] = frozenset()


def is_office(user: User) -> bool:
    return user.role == Role.OFFICE


def supervises(user: User, organization: Organization) -> bool:
    """A city bureau over a school of its own."""
    return (
        user.role == Role.CITY_BUREAU
        and organization.kind == Organization.Kind.SCHOOL
        and organization.supervisor_id == user.organization_id
    )


def only_stand_in(user: User, organization: Organization) -> bool:
    """A school's own people may name one stand-in, who may not name another."""
    return user.role in _SCHOOL_ROLES and not user.is_stand_in and organization.pk == user.organization_id


def assignable_roles(user: User, organization: Organization) -> frozenset[Role]:
    """The roles that `user` may give to an account of `organization`."""
    if is_office(user):
        return _BY_KIND[organization.kind]
    if supervises(user, organization):
        return _SCHOOL_ROLES
    if only_stand_in(user, organization):
        return frozenset({Role.SCHOOL_CONTACT})
    return _NONE


def may_manage_accounts(user: User, organization: Organization) -> bool:
    return bool(assignable_roles(user, organization))


def may_make_accounts(user: User) -> bool:
    """May make one somewhere: the button above the list."""
    return user.role in {Role.OFFICE, Role.CITY_BUREAU} or (
        user.role in _SCHOOL_ROLES and not user.is_stand_in
    )


def may_see_accounts(user: User) -> bool:
    """The list of accounts within one's scope; everybody sees one's own."""
    return user.role in {Role.OFFICE, Role.AUDITOR, Role.CITY_BUREAU} | _SCHOOL_ROLES


def may_manage(user: User, account: User) -> bool:
    """End, bring back, reset: never one's own account, and a school only its stand-in's."""
    organization = account.organization
    if user.pk == account.pk or organization is None:
        return False
    if only_stand_in(user, organization):
        return account.is_stand_in
    return account.role in assignable_roles(user, organization)


def may_edit(user: User, account: User) -> bool:
    return user.pk == account.pk or may_manage(user, account)


def may_reveal_mobile(user: User, account: User) -> bool:
    """Whoever has to reach the person: oneself, one's school, the supervisor, the office."""
    if may_edit(user, account):
        return True
    return user.role in _SCHOOL_ROLES and account.organization_id == user.organization_id


def may_hand_over(user: User, account: User) -> bool:
    """Name a successor: who manages the account, or the school's own people (to their stand-in)."""
    if not account.is_active or account.is_stand_in:
        return False
    return may_manage(user, account) or may_hand_over_to_stand_in(user, account)


def may_hand_over_to_stand_in(user: User, account: User) -> bool:
    organization = account.organization
    return (
        account.role == Role.SCHOOL_CONTACT and organization is not None and only_stand_in(user, organization)
    )


def may_unlock(user: User, account: User) -> bool:
    return is_office(user) and user.pk != account.pk


def may_reset_second_factor(user: User, account: User) -> bool:
    return is_office(user) and user.pk != account.pk


def may_see_organizations(user: User) -> bool:
    return user.sees_province or user.role == Role.CITY_BUREAU


def may_edit_organization(user: User) -> bool:
    """Aliases, membership of the pilot, supervisor and city are kept by the office."""
    return is_office(user)


_WATCHES: frozenset[Scope] = frozenset(Scope) - {Scope.WRITE_REPORTS}
_SCOPES: dict[str, frozenset[Scope]] = {
    Role.OFFICE: _WATCHES,
    Role.LEADING_GROUP: _WATCHES,
    Role.AUDITOR: _WATCHES,
    Role.CITY_BUREAU: _WATCHES,
    Role.FINANCE: _WATCHES - {Scope.READ_OBLIGATIONS, Scope.READ_REPORTS, Scope.READ_CASES},
    Role.SCHOOL_CONTACT: frozenset(Scope),
    Role.SCHOOL_LEADER: _WATCHES,
    Role.EVALUATOR: frozenset(
        {
            Scope.READ_ORGANIZATIONS,
            Scope.READ_PERIODS,
            Scope.READ_OBLIGATIONS,
            Scope.READ_REPORTS,
            Scope.READ_PROGRAMMES,
            Scope.READ_FEES,
            Scope.READ_EVALUATORS,
        }
    ),
}


def scopes_of(user: User) -> frozenset[Scope]:
    """What a token of this user may be given: nothing that the role itself may not do."""
    return _SCOPES.get(user.role, frozenset())


def may_make_tokens(user: User) -> bool:
    return bool(scopes_of(user))


def may_use_token(token: ApiToken, user: User) -> bool:
    """The account is in use, in the role and organisation for which the token was made."""
    unchanged = token.role == user.role and token.organization_id == user.organization_id
    return user.is_active and not user.must_change_password and unchanged
