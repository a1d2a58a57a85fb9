using System.Globalization;
using Postern.Configuration.Reading;
using Postern.Smtp.Grammar;

namespace Postern.Configuration;

/// <summary>One entry of <c>delivery.routes</c>.</summary>
/// <param name="To">Null for every recipient domain.</param>
/// <param name="Via">Null for the mail exchangers of the recipient's domain.</param>
internal sealed record RouteOptions(Domain? To, RouteOptions.NextHop? Via)
{
    private const int SmtpPort = 25;

    private static readonly Kind<Domain?> Target = new("domain or `*`", "a domain such as example.org, or \"*\" for every domain", TryTarget, []);

    private static readonly Kind<NextHop?> Hop = new("smtp://host:port", "a next hop such as smtp://relay.example.net:25", TryHop, []);

    /// <summary>A host name or an address, and a port.</summary>
    public sealed record NextHop(string Host, int Port)
    {
        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"smtp://{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}");
    }

    public static RouteOptions Read(Section section) => new(
        section.Required("to", Target, "The recipient domain this route is for; `\"*\"` for every one."),
        section.Value("via", Hop, fallback: null, "MX of the recipient's domain", "The server to hand messages to; port 25 where none is said."));

    private static bool TryTarget(string text, out Domain? target)
    {
        target = null;
        return text is "*" || Kinds.DomainName.Read(text, out target!);
    }

    private static bool TryHop(string text, out NextHop? hop)
    {
        hop = null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri is not { Scheme: "smtp", UserInfo: "", AbsolutePath: "/" or "", Query: "", Fragment: "" })
            return false;
        var host = uri.HostNameType is UriHostNameType.IPv6 ? uri.DnsSafeHost : uri.IdnHost;
        if (host.Length == 0 || (uri.HostNameType == UriHostNameType.Dns && !Kinds.DomainName.Read(host, out _)))
            return false;
        hop = new NextHop(host, uri.Port > 0 ? uri.Port : SmtpPort);
        return true;
    }
}
