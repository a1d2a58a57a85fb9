using System.Collections.Immutable;
using Postern.Fuzz.Targets;

namespace Postern.Fuzz;

/// <summary>Every target, one line each.</summary>
internal static class TargetTable
{
    /// <summary>In the order in which they run.</summary>
    public static ImmutableArray<ITarget> All { get; } =
    [
        new LineTarget(),
        new PathTarget(),
        new ParameterTarget(),
        new ContentTarget(),
        new StuffingTarget(),
        new ReplyTarget(),
        new SaslTarget(),
        new DovecotAuthTarget(),
        new DovecotClientTarget(),
        new Base64Target(),
        new HeaderTarget(),
        new DnsTarget(),
        new LdapTarget(),
        new ReceiverTarget(),
        new ProxyTarget(),
        new ClientHelloTarget(),
        new DialogueTarget(),
        new RelayTarget(),
        new ClientTarget(),
        new SaslClientTarget(),
        new TokenTarget(),
        new GrantTarget(),
        new CredentialTarget(),
        new CertificateTarget(),
        new AuditTarget(),
        new WayTarget(),
        new SpoolTarget(),
        new ConfigurationTarget(),
        new ControlTarget(),
        new DropTarget(),
        new LetterTarget(),
    ];
}
