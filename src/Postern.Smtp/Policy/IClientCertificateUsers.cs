using Postern.Sasl.Verifiers;
using Postern.Smtp.Session;

namespace Postern.Smtp.Policy;

/// <summary>
/// Says which user a client's certificate is (EXTERNAL, RFC 4422 appendix A). The client has proven that it holds the key, and nothing
/// else: whom to believe, until when, and which of its names counts is decided here.
/// </summary>
public interface IClientCertificateUsers
{
    /// <summary>Asked once for each AUTH EXTERNAL.</summary>
    ValueTask<LoginAnswer> FindAsync(ClientCertificate certificate, CancellationToken ct);
}
