"""Every address × every role, against one literal table. An address that is not in the table fails the sweep.

Each line: the address by its name (or its pattern, where it has none), the method, and what each role gets.
    in     sign in first
    2f     make a second factor first
    again  prove once more who you are
    go     sent on elsewhere
    a number is the status itself
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse

from tests.site.addresses import (
    BESIDE_THE_URLCONF,
    Address,
    behind,
    body_of,
    every_address,
    key_of,
    path_of,
    query_of,
)
from tests.site.world import ROLES, World, rolled_back

# anonymous, citizen who gave it, citizen of another municipality, caseworker of the unit, caseworker of another,
# manager, councillor, polling officer, administrator, caseworker without a second factor
EXPECTED = r"""
                                                           anon  citi  stran work  other mana  coun  poll  admi  half
admin:index                                           GET  in    403   403   200   200   200   go    go    200   2f
admin:settings                                        GET  in    403   403   200   200   200   403   403   200   2f
admin:notice-gallery                                  GET  in    403   403   200   200   200   403   403   200   2f
admin:notice-sample                                   GET  in    403   403   200   200   200   403   403   200   2f
admin:notice-sample-html                              GET  in    403   403   200   200   200   403   403   200   2f
admin:moderation                                      GET  in    403   403   200   200   200   403   403   403   2f
admin:questions                                       GET  in    403   403   200   200   200   403   403   403   2f
admin:process-list                                    GET  in    403   403   200   200   200   403   403   200   2f
admin:process-new                                     GET  in    403   403   200   200   200   403   403   403   2f
admin:process-start                                   GET  in    403   403   200   200   200   403   403   403   2f
admin:process-overview                                GET  in    403   403   200   200   200   403   403   200   2f
admin:process-preconditions                           GET  in    403   403   200   403   200   403   403   403   2f
admin:process-go-on                                   POST in    403   403   go    403   go    403   403   403   2f
admin:process-setup                                   GET  in    403   403   200   403   200   403   403   403   2f
admin:process-check                                   POST in    403   403   200   403   200   403   403   403   2f
admin:process-step                                    GET  in    403   403   200   403   200   403   403   403   2f
admin:process-override                                GET  in    403   403   403   404   200   403   403   403   2f
admin:process-preview                                 GET  in    403   403   200   200   200   403   403   200   2f
admin:process-copy                                    GET  in    403   403   200   403   200   403   403   403   2f
admin:process-handover                                GET  in    403   403   200   403   200   403   403   403   2f
admin:process-history                                 GET  in    403   403   200   200   200   403   403   200   2f
admin:process-practical                               GET  in    403   403   200   403   200   403   403   403   2f
admin:process-amend                                   GET  in    403   403   200   403   200   403   403   403   2f
admin:process-extend                                  GET  in    403   403   200   403   200   403   403   403   2f
admin:process-correct                                 GET  in    403   403   200   403   200   403   403   403   2f
admin:process-correction-confirm                      POST in    403   403   go    403   go    403   403   403   2f
admin:process-contributions                           GET  in    403   403   200   403   200   403   403   403   2f
admin:contributions-answer                            GET  in    403   403   200   403   200   403   403   403   2f
admin:contributions-gather                            GET  in    403   403   200   403   200   403   403   403   2f
admin:theme-answer                                    GET  in    403   403   200   403   200   403   403   403   2f
admin:process-record                                  GET  in    403   403   200   403   200   403   403   403   2f
admin:contributions-merge                             GET  in    403   403   200   403   200   403   403   403   2f
admin:contribution-split                              POST in    403   403   go    403   go    403   403   403   2f
admin:process-contribution                            GET  in    403   403   200   403   200   403   403   403   2f
admin:contribution-moderate                           POST in    403   403   200   403   200   403   403   403   2f
admin:contribution-dismiss                            POST in    403   403   go    403   go    403   403   403   2f
admin:contribution-take-down-file                       GET  in    403   403   200   403   200   403   403   403   2f
admin:contribution-answer                             POST in    403   403   200   403   200   403   403   403   2f
admin:contribution-told                               POST in    403   403   200   403   200   403   403   403   2f
admin:contribution-comment                            POST in    403   403   200   403   200   403   403   403   2f
admin:process-arguments                               GET  in    403   403   200   403   200   403   403   403   2f
admin:process-argument                                GET  in    403   403   200   403   200   403   403   403   2f
admin:argument-moderate                               POST in    403   403   200   403   200   403   403   403   2f
admin:argument-dismiss                                POST in    403   403   go    403   go    403   403   403   2f
admin:argument-comment                                POST in    403   403   200   403   200   403   403   403   2f
admin:process-questions                               GET  in    403   403   200   403   200   403   403   403   2f
admin:question-answer                                 GET  in    403   403   200   403   200   403   403   403   2f
admin:process-result                                  GET  in    403   403   200   403   200   403   403   403   2f
admin:process-decide                                  GET  in    403   403   200   403   200   403   403   403   2f
admin:process-impact                                  GET  in    403   403   200   403   200   403   403   403   2f
admin:process-nothing-changed                         GET  in    403   403   200   403   200   403   403   403   2f
admin:process-told-outside                            GET  in    403   403   200   403   200   403   403   403   2f
admin:process-news                                    GET  in    403   403   200   403   200   403   403   403   2f
admin:process-breadth                                 GET  in    403   403   200   403   200   403   403   403   2f
admin:process-invite                                  GET  in    403   403   200   403   200   403   403   403   2f
admin:process-mailout                                 POST in    403   403   go    403   go    403   403   403   2f
admin:budget-projects                                 GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-assess                                   GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-vote                                     GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-codes                                    GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-codes-class                              GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-codes-letters                            GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-codes-one                                GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-codes-block                              GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-codes-fetch                              POST in    403   403   200   403   200   403   403   403   2f
admin:budget-codes-unlock                             POST in    403   403   go    403   go    403   403   403   2f
admin:budget-seal                                     GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-count                                    GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-lot                                      GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-lot-pot                                  GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-decide                                   GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-meeting                                  GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-places                                   GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-place-new                                GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-place                                    GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-place-remove                             GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-paper-order                              GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-ballot-pdf                               GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-incident                                 GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-incident-correct                         GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementations                          GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation                           GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-accounts                  POST in    403   403   go    403   go    403   403   403   2f
admin:budget-implementation-plan                      GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-promises                  GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-promise-add               GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-promise                   GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-milestone-add             GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-milestone-move            GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-milestone-reach           GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-milestone-remove          GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-publish                   GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-status                    GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-pay                       GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-payment-correct           GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-extra                     GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-news                      GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-note                      GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-news-down                 GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-spend                     GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-entry                     GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-entry-receipt             GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-entry-correct             GET  in    403   403   200   403   200   403   403   403   2f
admin:budget-implementation-accounts-back             GET  in    403   403   200   403   200   403   403   403   2f
admin:mailout-list                                    GET  in    403   403   200   200   200   403   403   404   2f
admin:mailout-new                                     GET  in    403   403   200   200   200   403   403   404   2f
admin:mailout                                         GET  in    403   403   200   404   200   403   403   404   2f
admin:mailout-progress                                GET  in    403   403   200   404   200   403   403   404   2f
admin:mailout-letter                                  GET  in    403   403   200   404   200   403   403   404   2f
admin:mailout-look                                    POST in    403   403   200   404   200   403   403   404   2f
admin:mailout-recipients                              GET  in    403   403   200   404   200   403   403   404   2f
admin:mailout-find                                    POST in    403   403   go    404   go    403   403   404   2f
admin:mailout-source                                  GET  in    403   403   200   404   200   403   403   404   2f
admin:mailout-source-remove                           POST in    403   403   go    404   go    403   403   404   2f
admin:mailout-how                                     GET  in    403   403   200   404   200   403   403   404   2f
admin:mailout-preview                                 GET  in    403   403   200   404   200   403   403   404   2f
admin:mailout-preview-one                             GET  in    403   403   200   404   200   403   403   404   2f
admin:mailout-preview-pdf                             GET  in    403   403   200   404   200   403   403   404   2f
admin:mailout-test                                    POST in    403   403   go    404   go    403   403   404   2f
admin:mailout-freeze                                  POST in    403   403   go    404   go    403   403   404   2f
admin:mailout-thaw                                    POST in    403   403   go    404   go    403   403   404   2f
admin:mailout-approve                                 GET  in    403   403   200   404   200   403   403   404   2f
admin:mailout-pause                                   POST in    403   403   go    404   go    403   403   404   2f
admin:mailout-resume                                  POST in    403   403   go    404   go    403   403   404   2f
admin:mailout-stop                                    GET  in    403   403   200   404   200   403   403   404   2f
admin:mailout-failures                                GET  in    403   403   200   404   200   403   403   404   2f
admin:mailout-failed                                  GET  in    403   403   200   404   200   403   403   404   2f
admin:mailout-print                                   POST in    403   403   200   404   200   403   403   404   2f
admin:mailout-print-lost                              POST in    403   403   go    404   go    403   403   404   2f
admin:mailout-print-list                              GET  in    403   403   200   404   200   403   403   404   2f
admin:mailout-copy                                    POST in    403   403   go    404   go    403   403   404   2f
admin:mailout-delete                                  GET  in    403   403   200   404   200   403   403   404   2f
admin:login                                           GET  in    403   403   go    go    go    403   403   go    2f
admin:logout                                          GET  go    403   403   go    go    go    403   403   go    2f
admin:password_change                                 GET  in    403   403   go    go    go    403   403   go    2f
admin:password_change_done                            GET  in    403   403   200   200   200   403   403   200   2f
admin:autocomplete                                    GET  in    403   403   403   403   403   403   403   403   2f
admin:jsi18n                                          GET  in    403   403   200   200   200   403   403   200   2f
admin:accounts_unit_changelist                        GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_unit_add                               GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_unit_history                           GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_unit_delete                            GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_unit_change                            GET  in    403   403   403   403   403   403   403   200   2f
/admin/accounts/unit/<path:object_id>/                GET  in    403   403   go    go    go    403   403   go    2f
admin:accounts_user_changelist                        GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_user_add                               GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_user_history                           GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_user_delete                            GET  in    403   403   403   403   403   403   403   403   2f
admin:accounts_user_change                            GET  in    403   403   403   403   403   403   403   200   2f
/admin/accounts/user/<path:object_id>/                GET  in    403   403   go    go    go    403   403   go    2f
admin:accounts_organisation_import                    GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_organisation_changelist                GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_organisation_add                       GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_organisation_history                   GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_organisation_delete                    GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_organisation_change                    GET  in    403   403   403   403   403   403   403   200   2f
/admin/accounts/organisation/<path:object_id>/        GET  in    403   403   go    go    go    403   403   go    2f
admin:accounts_district_import                        GET  in    403   403   403   403   200   403   403   200   2f
admin:accounts_district_changelist                    GET  in    403   403   403   403   200   403   403   200   2f
admin:accounts_district_add                           GET  in    403   403   403   403   200   403   403   200   2f
admin:accounts_district_history                       GET  in    403   403   403   403   200   403   403   200   2f
admin:accounts_district_delete                        GET  in    403   403   403   403   200   403   403   200   2f
admin:accounts_district_change                        GET  in    403   403   403   403   200   403   403   200   2f
/admin/accounts/district/<path:object_id>/            GET  in    403   403   go    go    go    403   403   go    2f
admin:accounts_registerextract_changelist             GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_registerextract_add                    GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_registerextract_history                GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_registerextract_delete                 GET  in    403   403   403   403   403   403   403   403   2f
admin:accounts_registerextract_change                 GET  in    403   403   403   403   403   403   403   200   2f
/admin/accounts/registerextract/<path:object_id>/     GET  in    403   403   go    go    go    403   403   go    2f
admin:accounts_populationfigure_import                GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_populationfigure_count                 GET  in    403   403   403   403   403   403   403   go    2f
admin:accounts_populationfigure_changelist            GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_populationfigure_add                   GET  in    403   403   go    go    go    403   403   go    2f
admin:accounts_populationfigure_history               GET  in    403   403   403   403   403   403   403   200   2f
admin:accounts_populationfigure_delete                GET  in    403   403   403   403   403   403   403   403   2f
admin:accounts_populationfigure_change                GET  in    403   403   403   403   403   403   403   200   2f
/admin/accounts/populationfigure/<path:object_id>/    GET  in    403   403   go    go    go    403   403   go    2f
admin:audit_entry_changelist                          GET  in    403   403   200   200   200   403   403   200   2f
admin:audit_entry_add                                 GET  in    403   403   403   403   403   403   403   403   2f
admin:audit_entry_history                             GET  in    403   403   go    go    go    403   403   go    2f
admin:audit_entry_delete                              GET  in    403   403   403   403   403   403   403   403   2f
admin:audit_entry_change                              GET  in    403   403   200   200   200   403   403   200   2f
/admin/audit/entry/<path:object_id>/                  GET  in    403   403   go    go    go    403   403   go    2f
admin:participation_committee_changelist              GET  in    403   403   200   200   200   403   403   200   2f
admin:participation_committee_add                     GET  in    403   403   200   200   200   403   403   200   2f
admin:participation_committee_history                 GET  in    403   403   go    go    go    403   403   go    2f
admin:participation_committee_delete                  GET  in    403   403   403   403   200   403   403   200   2f
admin:participation_committee_change                  GET  in    403   403   200   200   200   403   403   200   2f
/admin/participation/committee/<path:object_id>/      GET  in    403   403   go    go    go    403   403   go    2f
admin:participation_programme_changelist              GET  in    403   403   200   200   200   403   403   200   2f
admin:participation_programme_add                     GET  in    403   403   200   200   200   403   403   403   2f
admin:participation_programme_history                 GET  in    403   403   go    go    go    403   403   go    2f
admin:participation_programme_delete                  GET  in    403   403   200   403   200   403   403   403   2f
admin:participation_programme_change                  GET  in    403   403   200   200   200   403   403   200   2f
/admin/participation/programme/<path:object_id>/      GET  in    403   403   go    go    go    403   403   go    2f
admin:participation_openingminimum_changelist         GET  in    403   403   200   200   200   403   403   200   2f
admin:participation_openingminimum_add                GET  in    403   403   403   403   200   403   403   200   2f
admin:participation_openingminimum_history            GET  in    403   403   go    go    go    403   403   go    2f
admin:participation_openingminimum_delete             GET  in    403   403   403   403   200   403   403   200   2f
admin:participation_openingminimum_change             GET  in    403   403   200   200   200   403   403   200   2f
/admin/participation/openingminimum/<path:object_id>/ GET  in    403   403   go    go    go    403   403   go    2f
admin:participation_principletext_changelist          GET  in    403   403   200   200   200   403   403   200   2f
admin:participation_principletext_add                 GET  in    403   403   403   403   403   403   403   403   2f
admin:participation_principletext_history             GET  in    403   403   go    go    go    403   403   go    2f
admin:participation_principletext_delete              GET  in    403   403   403   403   403   403   403   403   2f
admin:participation_principletext_change              GET  in    403   403   200   200   200   403   403   200   2f
/admin/participation/principletext/<path:object_id>/  GET  in    403   403   go    go    go    403   403   go    2f
admin:participation_standardanswer_changelist         GET  in    403   403   200   200   200   403   403   200   2f
admin:participation_standardanswer_add                GET  in    403   403   403   403   200   403   403   200   2f
admin:participation_standardanswer_history            GET  in    403   403   go    go    go    403   403   go    2f
admin:participation_standardanswer_delete             GET  in    403   403   403   403   200   403   403   200   2f
admin:participation_standardanswer_change             GET  in    403   403   200   200   200   403   403   200   2f
/admin/participation/standardanswer/<path:object_id>/ GET  in    403   403   go    go    go    403   403   go    2f
admin:participation_notice_changelist                 GET  in    403   403   200   200   200   403   403   200   2f
admin:participation_notice_add                        GET  in    403   403   403   403   403   403   403   403   2f
admin:participation_notice_history                    GET  in    403   403   200   go    200   403   403   200   2f
admin:participation_notice_delete                     GET  in    403   403   403   403   403   403   403   403   2f
admin:participation_notice_change                     GET  in    403   403   200   go    200   403   403   200   2f
/admin/participation/notice/<path:object_id>/         GET  in    403   403   go    go    go    403   403   go    2f
admin:app_list                                        GET  in    403   403   200   200   200   403   403   200   2f
/admin/(?P<url>.*)$                                   GET  in    403   403   404   404   404   403   403   404   2f
openid_connect_callback                               GET  404   404   404   404   404   404   404   404   404   2f
openid_connect_login                                  GET  404   404   404   404   404   404   404   404   404   2f
account_login                                         GET  200   go    go    go    go    go    go    go    go    2f
account_logout                                        GET  go    200   200   200   200   200   200   200   200   200
account_inactive                                      GET  200   200   200   200   200   200   200   200   200   2f
account_reauthenticate                                GET  in    403   403   200   again again again again again 403
account_email                                         GET  in    200   200   200   200   200   200   200   200   200
account_email_verification_sent                       GET  200   200   200   200   200   200   200   200   200   200
account_confirm_email                                 GET  200   200   200   200   200   200   200   200   200   200
account_change_password                               GET  in    404   404   200   go    go    go    go    go    2f
account_reset_password                                GET  200   200   200   200   200   200   200   200   200   2f
account_reset_password_done                           GET  200   200   200   200   200   200   200   200   200   2f
account_reset_password_from_key                       GET  go    go    go    go    go    go    go    go    go    2f
account_reset_password_from_key_done                  GET  200   200   200   200   200   200   200   200   200   2f
mfa_index                                             GET  in    404   404   200   200   200   200   200   200   200
mfa_authenticate                                      GET  in    go    go    go    go    go    go    go    go    2f
mfa_reauthenticate                                    GET  in    403   403   200   200   200   200   200   200   403
mfa_activate_totp                                     GET  in    404   404   go    go    go    go    go    go    200
mfa_deactivate_totp                                   GET  in    404   404   200   200   200   200   200   200   2f
mfa_view_recovery_codes                               GET  in    404   404   200   404   404   404   404   404   404
mfa_generate_recovery_codes                           GET  in    404   404   200   200   200   200   200   200   200
mfa_download_recovery_codes                           GET  in    404   404   200   404   404   404   404   404   404
mfa_list_webauthn                                     GET  in    404   404   200   200   200   200   200   200   200
mfa_add_webauthn                                      GET  in    404   404   200   200   200   200   200   200   200
mfa_login_webauthn                                    GET  in    go    go    go    go    go    go    go    go    2f
mfa_reauthenticate_webauthn                           GET  in    403   403   200   again again again again again 403
mfa_remove_webauthn                                   GET  in    404   404   200   404   404   404   404   404   2f
mfa_edit_webauthn                                     GET  in    404   404   200   404   404   404   404   404   2f
account_signup                                        GET  404   404   404   404   404   404   404   404   404   2f
account_set_password                                  GET  404   404   404   404   404   404   404   404   404   2f
socialaccount_signup                                  GET  404   404   404   404   404   404   404   404   404   2f
socialaccount_connections                             GET  404   404   404   404   404   404   404   404   404   2f
socialaccount_login_cancelled                         GET  404   404   404   404   404   404   404   404   404   2f
socialaccount_login_error                             GET  404   404   404   404   404   404   404   404   404   2f
accounts:my-page                                      GET  in    200   200   200   200   200   200   200   200   2f
accounts:my-settings                                  GET  in    200   200   200   200   200   200   200   200   2f
accounts:my-data                                      POST in    200   200   200   200   200   200   200   200   2f
accounts:delete-account                               GET  in    200   200   200   200   200   200   200   200   2f
accounts:sign-out-everywhere                          POST in    go    go    go    go    go    go    go    go    2f
accounts:mitid-login                                  GET  in    go    go    go    go    go    go    go    go    2f
accounts:staff-login                                  GET  in    go    go    go    go    go    go    go    go    2f
accounts:signed-out                                   GET  200   200   200   200   200   200   200   200   200   2f
accounts:privacy                                      GET  200   200   200   200   200   200   200   200   200   2f
design:gallery                                        GET  404   404   404   200   200   200   404   404   200   2f
participation:front                                   GET  200   200   200   200   200   200   200   200   200   2f
participation:process-list                            GET  200   200   200   200   200   200   200   200   200   2f
participation:process-feed                            GET  200   200   200   200   200   200   200   200   200   2f
participation:process-detail                          GET  200   200   200   200   200   200   200   200   200   2f
participation:process-news-feed                       GET  200   200   200   200   200   200   200   200   200   2f
participation:process-calendar                        GET  200   200   200   200   200   200   200   200   200   2f
participation:programme-detail                        GET  200   200   200   200   200   200   200   200   200   2f
participation:results                                 GET  200   200   200   200   200   200   200   200   200   2f
participation:have-an-idea                            GET  200   200   200   200   200   200   200   200   200   2f
participation:about                                   GET  200   200   200   200   200   200   200   200   200   2f
participation:accessibility                           GET  200   200   200   200   200   200   200   200   200   2f
participation:debate-rules                            GET  200   200   200   200   200   200   200   200   200   2f
participation:open-data                               GET  200   200   200   200   200   200   200   200   200   2f
participation:search                                  GET  200   200   200   200   200   200   200   200   200   2f
participation:follow                                  GET  in    200   200   200   200   200   200   200   200   2f
participation:can-i-take-part                         GET  200   200   200   200   200   200   200   200   200   2f
participation:contribution-list                       GET  200   200   200   200   200   200   200   200   200   2f
participation:contribution-map                        GET  200   200   200   200   200   200   200   200   200   2f
participation:contribution-points                     GET  200   200   200   200   200   200   200   200   200   200
participation:district-borders                        GET  200   200   200   200   200   200   200   200   200   200
participation:contribute                              GET  200   go    200   200   200   200   200   200   200   2f
participation:contribute-review                       GET  go    200   go    go    go    go    go    go    go    2f
participation:contribute-similar                      POST 200   200   200   200   200   200   200   200   200   2f
participation:contribute-forget                       POST go    go    go    go    go    go    go    go    go    2f
participation:contribution-form-pdf                   GET  200   200   200   200   200   200   200   200   200   2f
participation:contribution-detail                     GET  200   200   200   200   200   200   200   200   200   2f
participation:contribution-edit                       GET  in    200   404   404   404   404   404   404   404   2f
participation:contribution-withdraw                   GET  in    200   404   404   404   404   404   404   404   2f
participation:contribution-report                     GET  200   200   200   200   200   200   200   200   200   2f
participation:contribution-receipt                    GET  in    200   404   404   404   404   404   404   404   2f
participation:contribution-receipt-pdf                GET  in    200   404   404   404   404   404   404   404   2f
participation:contribution-after-receipt              POST in    go    404   404   404   404   404   404   404   2f
participation:contribution-team                       GET  in    200   404   404   404   404   404   404   404   2f
participation:contribution-leave                      GET  in    200   404   404   404   404   404   404   404   2f
participation:co-author-invitation                    GET  200   200   200   200   200   200   200   200   200   2f
participation:support                                 GET  200   200   200   200   200   200   200   200   200   2f
participation:argument-list                           GET  200   200   200   200   200   200   200   200   200   2f
participation:argument-write                          GET  200   200   200   200   200   200   200   200   200   2f
participation:argument-detail                         GET  200   200   200   200   200   200   200   200   200   2f
participation:argument-reply                          GET  200   200   200   200   200   200   200   200   200   2f
participation:argument-rate                           GET  200   200   200   200   200   200   200   200   200   2f
participation:argument-edit                           GET  in    200   404   404   404   404   404   404   404   2f
participation:argument-withdraw                       GET  in    200   404   404   404   404   404   404   404   2f
participation:argument-report                         GET  200   200   200   200   200   200   200   200   200   2f
participation:question-list                           GET  200   200   200   200   200   200   200   200   200   2f
participation:question-ask                            GET  200   200   200   200   200   200   200   200   200   2f
participation:question-form-pdf                       GET  200   200   200   200   200   200   200   200   200   2f
participation:photo                                     GET  200   200   200   200   200   200   200   200   200   2f
participation:file                                      GET  404   200   404   200   404   200   404   404   404   2f
participation:notices-rhythm                          POST in    go    go    go    go    go    go    go    go    2f
participation:notices-confirm-again                   POST in    go    go    go    go    go    go    go    go    2f
participation:notices-read                            POST in    go    go    go    go    go    go    go    go    2f
participation:stop-asking                             POST in    go    go    go    go    go    go    go    go    2f
participation:notices-unsubscribe                     GET  200   200   200   200   200   200   200   200   200   2f
budgets:vote                                          GET  200   200   200   200   200   200   200   200   200   2f
budgets:vote-receipt-pdf                              POST in    200   404   404   404   404   404   404   404   2f
budgets:vote-after                                    POST in    go    go    go    go    go    go    go    go    2f
budgets:projects                                      GET  200   200   200   200   200   200   200   200   200   2f
budgets:project-adjust                                GET  in    200   404   404   404   404   404   404   404   2f
budgets:result                                        GET  200   200   200   200   200   200   200   200   200   2f
budgets:result-round                                  GET  200   200   200   200   200   200   200   200   200   2f
budgets:votes-file                                    GET  200   200   200   200   200   200   200   200   200   2f
budgets:votes-file-round                              GET  200   200   200   200   200   200   200   200   200   2f
budgets:votes-file-pot                                GET  200   200   200   200   200   200   200   200   200   2f
budgets:recount                                       GET  200   200   200   200   200   200   200   200   200   2f
budgets:tracker                                       GET  200   200   200   200   200   200   200   200   200   2f
budgets:code                                          GET  200   200   200   200   200   200   200   200   200   2f
budgets:can-i-vote                                    GET  200   200   200   200   200   200   200   200   200   2f
budgets:voting-day                                    GET  200   200   200   200   200   200   200   200   200   2f
polling:places                                        GET  in    404   404   200   200   200   404   200   404   2f
polling:place                                         GET  in    404   404   404   404   404   404   200   404   2f
polling:voter                                         GET  in    404   404   404   404   404   404   go    404   2f
polling:mark                                          GET  in    404   404   404   404   404   404   go    404   2f
polling:undo                                          POST in    404   404   404   404   404   404   go    404   2f
polling:incident                                      GET  in    404   404   200   404   200   404   200   404   2f
polling:bundles                                       GET  in    404   404   200   404   200   404   200   404   2f
polling:bundle                                        GET  in    404   404   200   404   200   404   200   404   2f
polling:account                                       GET  in    404   404   200   404   200   404   200   404   2f
budgets:project-tell                                  GET  in    200   404   404   404   404   404   404   404   2f
budgets:project-spend                                 GET  in    200   404   404   404   404   404   404   404   2f
money:overview                                        GET  200   200   200   200   200   200   200   200   200   2f
money:file                                            GET  200   200   200   200   200   200   200   200   200   2f
money:years                                           GET  200   200   200   200   200   200   200   200   200   2f
mailouts:take-receipt                                 POST 403   403   403   403   403   403   403   403   403   2f
/healthz                                              GET  200   200   200   200   200   200   200   200   200   200
/readyz                                               GET  200   200   200   200   200   200   200   200   200   200
/metrics                                              GET  404   404   404   404   404   404   404   404   404   2f
"""

# Where nobody gets anything, and why the address is there all the same.
NOBODY = {
    "Django's or allauth's own name for something this portal doesn't have": {
        "/admin/(?P<url>.*)$",
        "admin:autocomplete",
        "account_signup",
        "account_set_password",
        "socialaccount_signup",
        "socialaccount_connections",
        "socialaccount_login_cancelled",
        "socialaccount_login_error",
        "openid_connect_login",
    },
    "records that are never added or deleted by hand": {
        "admin:accounts_user_delete",
        "admin:accounts_registerextract_delete",
        "admin:accounts_populationfigure_delete",
        "admin:audit_entry_add",
        "admin:audit_entry_delete",
        "admin:participation_principletext_add",
        "admin:participation_principletext_delete",
        "admin:participation_notice_add",
        "admin:participation_notice_delete",
    },
    "no broker answers here; tests/accounts/test_sign_in.py has one": {"openid_connect_callback"},
    "only whoever holds its token; tests/config/test_health.py does": {"/metrics"},
    "only whoever signs; tests/mailouts/test_receipts.py does": {"mailouts:take-receipt"},
}
SUCCESS = {"200", "go"}
WORDS = {
    "/konto/log-ind/": "in",
    "/admin/login/": "in",
    "/konto/to-trin/": "2f",
    "/konto/bekraeft/": "again",
    "/konto/to-trin/bekraeft/": "again",
}

TABLE = {
    cells[0]: (cells[1], dict(zip(ROLES, cells[2:], strict=True)))
    for cells in (line.split() for line in EXPECTED.splitlines()[2:])
    if cells
}
ADDRESSES = {key_of(address): address for address in every_address()}


def answer(response: HttpResponse) -> str:
    if response.status_code in {301, 302, 303}:
        return WORDS.get(urlsplit(response["Location"]).path, "go")
    return str(response.status_code)


def ask(world: World, role: str, method: str, path: str, body: dict[str, str] | None = None) -> str:
    with rolled_back():
        client = world.client(role)
        return answer(client.post(path, body or {}) if method == "POST" else client.get(path))


def test_every_address_is_in_the_table_and_the_table_names_nothing_else() -> None:
    there, listed = {*ADDRESSES, *BESIDE_THE_URLCONF}, set(TABLE)
    assert there - listed == set(), "write them into the table, with what each role gets"
    assert listed - there == set()


@pytest.mark.parametrize("name", sorted(TABLE))
def test_each_role_gets_what_the_table_says(world: World, name: str) -> None:
    method, expected = TABLE[name]
    address = ADDRESSES.get(name)
    path, body = name, {}
    if address is not None:
        path, body = path_of(address, behind(world)(address)), body_of(address, world)
        path += query_of(address, world)
    found = {role: ask(world, role, method, path, body) for role in ROLES}
    assert found == expected


def test_each_address_lets_somebody_in() -> None:
    shut = {name for name, (_method, row) in TABLE.items() if not SUCCESS & set(row.values())}
    assert shut == set().union(*NOBODY.values())


# What is not public, or not theirs

OUTSIDERS = ("anonymous", "citizen", "stranger", "other_worker", "polling")
NOTHING_TO_SEE = {"404", "in"}


def taking(*arguments: str, without: str = "admin/") -> list[str]:
    """The addresses that take these, outside the staff pages."""
    return [
        key
        for key, address in ADDRESSES.items()
        if set(arguments) <= set(address.arguments) and not address.pattern.startswith(without)
    ]


@pytest.mark.parametrize("status", ["draft", "in_review"])
def test_what_is_not_published_is_nowhere_to_be_seen(world: World, status: str) -> None:
    hidden = {"slug": world.processes[status].slug}
    for name in taking("slug"):
        if name == "participation:programme-detail":
            continue
        for role in OUTSIDERS:
            values = behind(world)(ADDRESSES[name]) | hidden
            found = ask(world, role, TABLE[name][0], path_of(ADDRESSES[name], values))
            assert found in NOTHING_TO_SEE, (name, role, found)


@pytest.mark.parametrize("status", ["draft", "in_review"])
def test_a_draft_is_read_by_its_unit_councillors_and_administrators(world: World, status: str) -> None:
    path = world.processes[status].get_absolute_url()
    found = {role: ask(world, role, "GET", path) for role in ROLES}
    assert {role for role, got in found.items() if got == "200"} == {
        "worker",
        "manager",
        "councillor",
        "administrator",
    }


def test_what_a_moderator_turned_away_only_its_author_and_the_unit_see(world: World) -> None:
    hidden = {"public_id": world.hidden.public_id}
    for name in taking("slug", "public_id"):
        values = behind(world)(ADDRESSES[name]) | hidden
        for role in set(ROLES) - {"citizen", "worker", "manager", "half_in"}:
            found = ask(world, role, TABLE[name][0], path_of(ADDRESSES[name], values))
            assert found in NOTHING_TO_SEE, (name, role, found)
    path = world.hidden.get_absolute_url()
    assert {role for role in ROLES if ask(world, role, "GET", path) == "200"} == {
        "citizen",
        "worker",
        "manager",
    }


def best_role(name: str) -> str | None:
    return next((role for role, got in TABLE[name][1].items() if got in SUCCESS), None)


def with_objects() -> Iterator[str]:
    for name, address in ADDRESSES.items():
        if {"slug", "pk", "object_id"} & set(address.arguments) and best_role(name):
            yield name


MADE_UP: dict[str, Any] = {
    "slug": "findes-ikke",
    "pk": 987_654,
    "object_id": 987_654,
    "public_id": "00000000-0000-4000-8000-000000000000",
    "argument": "00000000-0000-4000-8000-000000000000",
    "theme": 987_654,
    "change": 987_654,
    "number": 97,
}


@pytest.mark.parametrize("name", sorted(with_objects()))
def test_what_does_not_exist_is_not_found(world: World, name: str) -> None:
    """Each part of the address in turn names nothing, for somebody who may see the rest."""
    address, role = ADDRESSES[name], best_role(name)
    assert role is not None
    for argument in set(address.arguments) & set(MADE_UP):
        values = behind(world)(address) | {argument: MADE_UP[argument]}
        found = ask(world, role, TABLE[name][0], path_of(address, values), body_of(address, world))
        # Django's admin leads from a record that is gone back to its start page, in words.
        expected = {"go"} if address.pattern.startswith("admin/") and argument == "object_id" else {"404"}
        assert found in expected, (name, argument, found)


def test_what_belongs_to_another_process_is_not_found_under_this_one(world: World) -> None:
    other = world.processes["vote"]
    tried = 0
    for name, address in ADDRESSES.items():
        parts = set(address.arguments)
        if not ({"public_id", "theme", "change"} & parts and {"slug", "pk"} & parts):
            continue
        role = best_role(name)
        assert role is not None
        values = behind(world)(address) | {"slug": other.slug, "pk": other.pk}
        assert ask(world, role, TABLE[name][0], path_of(address, values)) == "404", name
        tried += 1
    assert tried > 10


def test_every_address_for_people_has_its_english_twin(world: World) -> None:
    tried = 0
    for name, address in ADDRESSES.items():
        role = best_role(name)
        if role is None or not in_both_languages(address):
            continue
        method, row = TABLE[name]
        path = path_of(address, behind(world)(address)) + query_of(address, world)
        with rolled_back():
            client, body = world.client(role), body_of(address, world)
            response = client.post(f"/en{path}", body) if method == "POST" else client.get(f"/en{path}")
        assert answer_in_english(response) == row[role], name
        if response["Content-Type"].startswith("text/html") and response.status_code == 200:
            assert '<html lang="en"' in response.content.decode(), name
            tried += 1
    assert tried > 40


def in_both_languages(address: Address) -> bool:
    return not address.pattern.startswith("admin/") and not address.name.startswith("openid_connect")


def answer_in_english(response: HttpResponse) -> str:
    if response.status_code in {301, 302, 303}:
        return WORDS.get(urlsplit(response["Location"]).path.removeprefix("/en"), "go")
    return str(response.status_code)
