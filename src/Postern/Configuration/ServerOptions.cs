using System.Net;
using System.Text;
using Postern.Configuration.Reading;
using Postern.Smtp.Grammar;

namespace Postern.Configuration;

/// <summary><c>server</c>: what this machine calls itself and where it keeps its data.</summary>
/// <param name="Data">Absolute.</param>
internal sealed record ServerOptions(Domain Hostname, string Data, Mailbox? Postmaster = null)
{
    /// <summary>How long a stop waits for messages under way.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(60);

    public static ServerOptions Read(Section section) => new(
        section.Value(
            "hostname",
            Kinds.DomainName,
            OwnName.Value,
            "the machine's name",
            "The name in the greeting, in EHLO to other servers, in Received fields and in bounces. Other servers look it up: "
                + "set it to a name that leads back to this machine."),
        section.FilePath(
            "data",
            "postern-data",
            "`postern-data`",
            "The data directory: accounts, messages, logs, the made certificate, the control socket. Readable by its owner only.")!,
        section.Value(
            "postmaster",
            Kinds.Address,
            null!,
            "postmaster at the hostname",
            "Who is told of messages that the server holds for errors of its own, and of nothing else; at most 20 such words an hour. "
                + "It needs a next hop like any address."))
    {
        StopGrace = section.Value(
            "stop_grace",
            Kinds.Duration,
            TimeSpan.FromSeconds(60),
            "60s",
            "How long a stop waits for messages that clients are sending and for the answers of next hops that have a whole message. "
                + "A second signal ends the wait. Less makes second copies likely; a service manager must allow as much."),
    };
}

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
