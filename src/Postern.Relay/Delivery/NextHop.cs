using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <summary>Where messages of one destination go next. Equal values share a queue, connections and limits.</summary>
public abstract record NextHop
{
    private NextHop()
    {
    }

    /// <summary>The name for logs and the queue listing.</summary>
    public abstract string Name { get; }

    /// <summary>A host the operator named: any address, any port.</summary>
    /// <param name="Host">A host name or an address without brackets.</param>
    public sealed record SmartHost(string Host, int Port, ClientTls Tls) : NextHop
    {
        public override string Name => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

        public override string ToString() => Name;
    }

    /// <summary>The mail exchangers of the recipient's domain (RFC 5321 §5.1), or the address of an address literal.</summary>
    public sealed record MailExchanger(Domain Domain) : NextHop
    {
        public override string Name => Domain.Text;

        public override string ToString() => Name;
    }
}
