//! Why what answers at a `/tls/ws` address is not trusted, in words, and what to do about it.

use rustls::{CertificateError, Error};

/// What is wrong with the other side's TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    Issuer,
    Expired,
    Early,
    Name,
    Authority,
    NoTls,
}

impl Distrust {
    const ALL: [Self; 6] = [Self::Issuer, Self::Expired, Self::Early, Self::Name, Self::Authority, Self::NoTls];

    /// `None` for what has no words of ours.
    pub fn of(error: &Error) -> Option<Self> {
        match error {
            Error::InvalidCertificate(error) => Self::of_certificate(error),
            Error::InvalidMessage(_) => Some(Self::NoTls),
            _ => None,
        }
    }

    fn of_certificate(error: &CertificateError) -> Option<Self> {
        use CertificateError::*;
        Some(match error {
            UnknownIssuer => Self::Issuer,
            Expired | ExpiredContext { .. } => Self::Expired,
            NotValidYet | NotValidYetContext { .. } => Self::Early,
            NotValidForName | NotValidForNameContext { .. } => Self::Name,
            // It has no name of its own: it is an error of the library beneath.
            Other(error) if error.to_string().contains("CaUsedAsEndEntity") => Self::Authority,
            _ => return None,
        })
    }

    pub fn told(self) -> &'static str {
        match self {
            Self::Issuer => "its certificate is not one that this machine trusts (unknown issuer)",
            Self::Expired => "its certificate has expired",
            Self::Early => "its certificate is not valid yet",
            Self::Name => "its certificate is made out to another name",
            Self::Authority => "its certificate is that of an authority (CA:TRUE), which no server may use itself",
            Self::NoTls => "what answers there does not speak TLS",
        }
    }

    fn next(self) -> &'static str {
        match self {
            Self::Issuer => {
                "If it is the relay's own certificate, get a copy and name it with `pairwave config set \
                 network.certificates FILE`, then run `pairwave down`."
            }
            Self::Expired => {
                "Whoever runs the relay gives it a newer certificate and restarts it; look at the clock of this machine, too."
            }
            Self::Early => "Set the clocks of this machine and of the relay by the network.",
            Self::Name => {
                "Name the relay by a name that stands in its certificate, or make one with this name as subjectAltName."
            }
            Self::Authority => {
                "Whoever runs the relay makes it one with CA:FALSE and a subjectAltName: “Where only 443 gets out” in \
                 docs/OPERATIONS.md has the line for openssl."
            }
            Self::NoTls => {
                "Check that the port is that of the relay's `/tls/ws` listener, and that no portal answers in its place."
            }
        }
    }
}

/// What to do about it, where these are words of ours for it.
pub fn next_step(told: &str) -> Option<&'static str> {
    Distrust::ALL.into_iter().find(|distrust| distrust.told() == told).map(Distrust::next)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::OtherError;

    use super::*;

    #[test]
    fn each_has_words_of_ours_and_a_next_step() {
        let other = |text: &str| CertificateError::Other(OtherError(Arc::from(Box::from(text))));
        for (error, part, next) in [
            (CertificateError::UnknownIssuer, "unknown issuer", "network.certificates"),
            (CertificateError::Expired, "expired", "newer certificate"),
            (CertificateError::NotValidYet, "not valid yet", "clocks"),
            (CertificateError::NotValidForName, "another name", "subjectAltName"),
            (other("CaUsedAsEndEntity"), "CA:TRUE", "openssl"),
        ] {
            let told = Distrust::of(&Error::InvalidCertificate(error)).unwrap().told();
            assert!(told.contains(part) && next_step(told).unwrap().contains(next), "{told}");
        }
        assert_eq!(Distrust::of(&Error::InvalidCertificate(other("something new"))), None);
        assert_eq!(next_step("connection refused"), None);
    }
}
