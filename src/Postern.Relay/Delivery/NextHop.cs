using System.Net;
using System.Security.Cryptography.X509Certificates;
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

    /// <summary>The address of this machine that connections come from; null for the system's choice.</summary>
    public IPAddress? Bind { get; init; }

    /// <summary>A host the operator named: any address, any port.</summary>
    /// <param name="Host">A host name or an address without brackets.</param>
    public sealed record SmartHost(string Host, int Port, ClientTls Tls) : NextHop
    {
        /// <summary>Made on every connection before mail; null for none. Each login is equal to itself alone: no connection serves two.</summary>
        public ClientLogin? Login { get; init; }

        /// <summary>It may call itself by this server's own name and is another: a filter, or another program on this machine.</summary>
        public bool MayHaveOurName { get; init; }

        /// <summary>What its certificate is verified against; null for the system's trusted roots.</summary>
        public X509Certificate2Collection? Trusted { get; init; }

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
