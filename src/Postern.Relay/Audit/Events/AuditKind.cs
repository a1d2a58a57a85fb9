using System.Collections.Immutable;
using System.Numerics;

namespace Postern.Relay.Audit.Events;

/// <summary>What an event is about, and so which file holds it. Flags, so that a search can name several.</summary>
[Flags]
public enum AuditKind
{
    None = 0,

    /// <summary>Logins.</summary>
    Auth = 1,

    /// <summary>Messages accepted, refused, delivered, bounced.</summary>
    Mail = 2,

    /// <summary>Decisions.</summary>
    Policy = 4,

    /// <summary>What operators changed.</summary>
    Admin = 8,

    /// <summary>The server itself.</summary>
    Server = 16,

    All = Auth | Mail | Policy | Admin | Server,
}

/// <summary>The word for each kind, which begins the names of its files.</summary>
internal static class AuditKinds
{
    public static ImmutableArray<AuditKind> Each { get; } =
    [
        AuditKind.Auth, AuditKind.Mail, AuditKind.Policy, AuditKind.Admin, AuditKind.Server,
    ];

    public static string ToWord(this AuditKind kind) => kind switch
    {
        AuditKind.Auth => "auth",
        AuditKind.Mail => "mail",
        AuditKind.Policy => "policy",
        AuditKind.Admin => "admin",
        _ => "server",
    };

    /// <summary>Null for any other word.</summary>
    public static AuditKind? OfWord(ReadOnlySpan<char> word)
    {
        foreach (var kind in Each)
        {
            if (word.SequenceEqual(kind.ToWord()))
                return kind;
        }

        return null;
    }
}

/// <summary>One thing for each kind.</summary>
internal sealed class PerKind<T>(Func<AuditKind, T> make)
{
    // A frozen dictionary of an enumeration costs a start two milliseconds of compiling.
    private readonly T[] items = Array.ConvertAll(AuditKinds.Each.ToArray(), kind => make(kind));

    public ReadOnlySpan<T> All => items;

    public T this[AuditKind kind] => items[BitOperations.TrailingZeroCount((int)kind)];
}
