using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Transports;

/// <summary>What REQUIRETLS asks of a host (RFC 8689 §2, §4.2.1).</summary>
internal static class TlsRequirement
{
    private const string NoSupport = "5.7.30";
    private const string NoEncryption = "5.7.10";

    /// <summary>
    /// A stranger's DNS names the hosts, and nothing could prove that answer, so their certificates would prove nothing either.
    /// </summary>
    public static readonly Outcome.Failed NoProof = new(
        Remote: null,
        "REQUIRETLS: the mail exchangers of the domain cannot be authenticated: neither DANE nor MTA-STS of the domain, nor a rule of "
            + "delivery.tls or a route proves them",
        Tls: null,
        NoSupport) { Cause = DeliveryCause.NoTls };

    /// <summary>Why a host cannot have such a message; null where it can. A Unix socket leads to nobody but this machine.</summary>
    public static Outcome.Deferred? WhyNot(HopConnection.Open connection)
    {
        var (dialogue, endpoint) = (connection.Dialogue, connection.Endpoint);
        return endpoint.Socket is not null ? null
            : dialogue.Tls is null ? Lacks(connection, "the connection to the next hop has no TLS", NoEncryption)
            : !endpoint.Terms.ProvesHost ? Lacks(
                connection,
                "nothing proves that this host takes the mail of the domain: neither DNSSEC nor MTA-STS, nor a rule of delivery.tls",
                NoSupport)
            : !dialogue.IsVerified ? Lacks(connection, "the certificate of the next hop does not verify", NoSupport)
            : !dialogue.Extensions.Has("REQUIRETLS")
                ? Lacks(connection, "the next hop does not offer it", NoSupport) with { Cause = DeliveryCause.NotCapable }
            : null;
    }

    /// <summary>The same message as one that may go as any other.</summary>
    public static OutgoingMessage Waive(OutgoingMessage message) =>
        message with { Envelope = message.Envelope with { Parameters = message.Parameters with { RequiresTls = false } } };

    /// <summary>It failed for want of what the requirement asks for.</summary>
    public static bool IsUnmet(Outcome outcome) => outcome is Outcome.Failed { Status: NoSupport or NoEncryption, IsVerbatim: false };

    private static Outcome.Deferred Lacks(HopConnection.Open connection, string words, string status) =>
        new(connection.Endpoint.Remote, $"REQUIRETLS: {words}", connection.Dialogue.Tls?.Version)
        {
            FailsWith = status,
            Cause = DeliveryCause.NoTls,
            Phase = DeliveryPhase.Mail,
            IsVerified = connection.Dialogue.IsVerified,
            Security = connection.Security,
        };
}
