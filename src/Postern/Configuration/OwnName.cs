using System.Net;
using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Configuration;

/// <summary>The machine's own name, where it is one that mail can carry.</summary>
internal static class OwnName
{
    public static Domain Value { get; } = Find();

    private static Domain Find()
    {
        var name = Dns.GetHostName();
        return Ascii.IsValid(name) && Domain.TryParse(Encoding.ASCII.GetBytes(name), out var domain) ? domain
            : Domain.TryParse("localhost"u8, out var localhost) ? localhost
            : throw new InvalidOperationException("localhost is a domain");
    }
}
