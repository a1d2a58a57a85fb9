namespace Postern.Relay.Accounts.Certificates;

/// <summary>Which of a certificate's names (subjectAltName) is the account.</summary>
public enum CertificateName
{
    Email,
    Dns,
}
