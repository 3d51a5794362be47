//! The kinds of mails, with the lifetime of each.

use std::time::Duration;

use auth_core::mail_token::MailPurpose;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The reason for a mail. It determines the text, the lifetime and the page to which the link leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum MailKind {
    /// To the address of the account: choose a new password.
    PasswordReset,
    /// To the address of the account: confirm that the address belongs to the user.
    EmailVerification,
    /// To the new address: confirm the change to this address.
    EmailChange,
    /// To the address of the account: confirm that the account is to be deleted.
    AccountDeletion,
    /// Notice: the password was changed.
    PasswordChanged,
    /// Notice of an attempt to register with the address of an account.
    RegistrationAttempt,
    /// Notice, to the address of the account, of a request to change the address.
    EmailChangeRequested,
    /// Notice to the previous address, with the link that undoes the change.
    EmailChanged,
}

impl MailKind {
    /// Every kind.
    pub(crate) const ALL: [Self; 8] = [
        Self::PasswordReset,
        Self::EmailVerification,
        Self::EmailChange,
        Self::AccountDeletion,
        Self::PasswordChanged,
        Self::RegistrationAttempt,
        Self::EmailChangeRequested,
        Self::EmailChanged,
    ];

    /// Returns the name in the database, in the names of the templates and in the names of the files with mails.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordReset => "password_reset",
            Self::EmailVerification => "email_verification",
            Self::EmailChange => "email_change",
            Self::AccountDeletion => "account_deletion",
            Self::PasswordChanged => "password_changed",
            Self::RegistrationAttempt => "registration_attempt",
            Self::EmailChangeRequested => "email_change_requested",
            Self::EmailChanged => "email_changed",
        }
    }

    /// Returns the kind with this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Returns the lifetime of the token and of the code; for a notice without a token, the time in which the server
    /// tries to deliver the notice.
    pub(crate) const fn lifetime(self) -> Duration {
        match self {
            Self::PasswordReset | Self::EmailChange => HOUR,
            // A registration adds a mail of one of the kinds `EmailVerification` and `RegistrationAttempt`. Their
            // lifetimes are equal, so that the expiry does not show which kind it is.
            Self::EmailVerification | Self::RegistrationAttempt | Self::AccountDeletion => DAY,
            Self::EmailChanged => DAY.saturating_mul(3),
            Self::PasswordChanged | Self::EmailChangeRequested => DAY.saturating_mul(2),
        }
    }

    /// Returns whether the mail has a code, which a user can enter in an app instead of following the link.
    pub(crate) const fn has_code(self) -> bool {
        matches!(
            self,
            Self::PasswordReset | Self::EmailVerification | Self::EmailChange
        )
    }

    /// Returns whether the mail has a link with a token.
    pub(crate) const fn carries_token(self) -> bool {
        self.page().is_some()
    }

    /// Returns whether the token and the code are computed with the mail key of the user.
    pub(crate) const fn uses_mail_key(self) -> bool {
        matches!(
            self,
            Self::PasswordReset
                | Self::EmailVerification
                | Self::EmailChange
                | Self::AccountDeletion
        )
    }

    /// Returns whether the mail counts towards the quotas that mails of several kinds share. Notices of changes do not:
    /// otherwise a thief could use up the quota first, and the owner would not be told.
    const fn has_shared_quota(self) -> bool {
        self.uses_mail_key() || matches!(self, Self::RegistrationAttempt)
    }

    /// Returns the kinds that count towards the quotas of this kind; none if the mail has no quota.
    ///
    /// The quota of a notice of a change counts only notices of the same kind: when it is used up, the owner has
    /// already been told. [`EmailChanged`](Self::EmailChanged) has no quota, because each of these notices can undo a
    /// different change.
    pub(crate) fn quota_kinds(self) -> Vec<Self> {
        match self {
            Self::EmailChanged => Vec::new(),
            _ if self.is_notice_of_change() => vec![self],
            _ => Self::ALL
                .into_iter()
                .filter(|kind| kind.has_shared_quota())
                .collect(),
        }
    }

    /// Returns whether the mail only tells the user of a change that the user, or a thief, has made or requested.
    pub(crate) const fn is_notice_of_change(self) -> bool {
        matches!(self, Self::PasswordChanged | Self::EmailChangeRequested)
    }

    /// Returns the purpose of the token and the code; `None` for a notice without a token.
    pub(crate) const fn purpose(self) -> Option<MailPurpose> {
        match self {
            Self::PasswordReset => Some(MailPurpose::PasswordReset),
            Self::EmailVerification => Some(MailPurpose::EmailVerification),
            Self::EmailChange => Some(MailPurpose::EmailChange),
            Self::AccountDeletion => Some(MailPurpose::AccountDeletion),
            Self::EmailChanged => Some(MailPurpose::EmailChangeUndo),
            Self::PasswordChanged | Self::RegistrationAttempt | Self::EmailChangeRequested => None,
        }
    }

    /// Returns the path of the page to which the link leads; `None` if the mail has no link.
    pub(super) const fn page(self) -> Option<&'static str> {
        match self {
            Self::PasswordReset => Some("/reset"),
            Self::EmailVerification => Some("/verify"),
            Self::EmailChange => Some("/change-email"),
            Self::AccountDeletion => Some("/delete-account"),
            Self::EmailChanged => Some("/undo-email-change"),
            Self::PasswordChanged | Self::RegistrationAttempt | Self::EmailChangeRequested => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MailKind;

    #[test]
    fn the_name_of_each_kind_is_parsed_back() {
        for kind in MailKind::ALL {
            assert_eq!(MailKind::parse(kind.as_str()), Some(kind));
        }
        for name in ["", "PASSWORD_RESET", "password_reset ", "test"] {
            assert_eq!(MailKind::parse(name), None, "{name:?}");
        }
    }

    #[test]
    fn tokens_live_as_long_as_documented() {
        let hours = MailKind::ALL.map(|kind| (kind, kind.lifetime().as_secs() / 3600));
        assert_eq!(
            hours,
            [
                (MailKind::PasswordReset, 1),
                (MailKind::EmailVerification, 24),
                (MailKind::EmailChange, 1),
                (MailKind::AccountDeletion, 24),
                (MailKind::PasswordChanged, 48),
                (MailKind::RegistrationAttempt, 24),
                (MailKind::EmailChangeRequested, 48),
                (MailKind::EmailChanged, 72),
            ]
        );
    }

    #[test]
    fn a_token_has_a_purpose_and_notices_of_changes_do_not_share_a_quota() {
        for kind in MailKind::ALL {
            assert_eq!(kind.purpose().is_some(), kind.carries_token(), "{kind:?}");
            // Only tokens that undo a change have a key of their own.
            let has_own_key = kind == MailKind::EmailChanged;
            assert_eq!(kind.uses_mail_key(), kind.carries_token() && !has_own_key);
        }
        let shared_quota = [
            MailKind::PasswordReset,
            MailKind::EmailVerification,
            MailKind::EmailChange,
            MailKind::AccountDeletion,
            MailKind::RegistrationAttempt,
        ];
        for kind in shared_quota {
            assert_eq!(kind.quota_kinds(), shared_quota);
        }
        for kind in [MailKind::PasswordChanged, MailKind::EmailChangeRequested] {
            assert_eq!(kind.quota_kinds(), [kind]);
        }
        assert_eq!(MailKind::EmailChanged.quota_kinds(), []);
    }

    #[test]
    fn a_code_is_only_in_mails_with_a_token() {
        let with_code = MailKind::ALL.into_iter().filter(|kind| kind.has_code());
        assert!(with_code.clone().all(MailKind::carries_token));
        assert_eq!(with_code.count(), 3);
        let with_token = MailKind::ALL
            .into_iter()
            .filter(|kind| kind.carries_token());
        assert_eq!(with_token.count(), 5);
    }
}
