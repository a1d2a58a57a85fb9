using System.Diagnostics.CodeAnalysis;
using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Smtp.Policy;

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
        name = Ascii.IsValid(argument) && Domain.TryParse(scope == QueueScope.Domain ? argument : argument[1..], out var domain) ? new QueueName(domain, scope) : null;
        return name is not null;
    }
}
