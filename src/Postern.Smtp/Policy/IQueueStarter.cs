using System.Diagnostics.CodeAnalysis;
using System.Text;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Smtp.Policy;

/// <summary>Starts the delivery of what waits for a host that is not always connected (RFC 1985).</summary>
public interface IQueueStarter
{
    /// <summary>
    /// Asked by anyone who may connect: decide by <paramref name="session"/> and <paramref name="queue"/>, and do a bounded amount of work.
    /// </summary>
    ValueTask<QueueStart> StartAsync(SessionState session, QueueName queue, CancellationToken ct);
}

/// <summary>What became of an ETRN; the reply codes are those of RFC 1985 §5.3.</summary>
public abstract record QueueStart
{
    private QueueStart()
    {
    }

    /// <summary>250: started, and it is not known what waits.</summary>
    public sealed record Started : QueueStart;

    /// <summary>251: nothing waits.</summary>
    public sealed record Nothing : QueueStart;

    /// <summary>253: so many messages were started; 252 where <paramref name="Count"/> is null.</summary>
    public sealed record Pending(int? Count) : QueueStart;

    /// <summary>458: not now.</summary>
    public sealed record NotNow(string Reason) : QueueStart;

    /// <summary>459: not for this client, or never for this domain.</summary>
    public sealed record NotAllowed(string Reason) : QueueStart;
}

/// <summary>How far an ETRN reaches.</summary>
public enum QueueScope
{
    /// <summary>The domain alone.</summary>
    Domain,

    /// <summary><c>@</c>: the domain and those below it.</summary>
    DomainAndBelow,

    /// <summary><c>#</c>: a queue by a name that server and client have agreed on.</summary>
    Queue,
}

/// <summary>What ETRN asks for (RFC 1985 §5.3). The name is always a domain, so it carries no quotes, spaces or controls.</summary>
public sealed record QueueName(Domain Domain, QueueScope Scope)
{
    /// <summary>As ETRN writes it.</summary>
    public override string ToString() => Scope switch
    {
        QueueScope.DomainAndBelow => $"@{Domain}",
        QueueScope.Queue => $"#{Domain}",
        _ => Domain.Text,
    };

    internal static bool TryParse(ReadOnlySpan<byte> argument, [NotNullWhen(true)] out QueueName? name)
    {
        var scope = argument switch
        {
            [(byte)'@', ..] => QueueScope.DomainAndBelow,
            [(byte)'#', ..] => QueueScope.Queue,
            _ => QueueScope.Domain,
        };
        name = Ascii.IsValid(argument) && Domain.TryParse(scope == QueueScope.Domain ? argument : argument[1..], out var domain)
            ? new QueueName(domain, scope)
            : null;
        return name is not null;
    }
}
