using System.Collections.Immutable;

namespace Postern.Relay.Delivery.Shaping;

/// <summary>One thing that can be said about some of the mail that leaves, by the name that operators write.</summary>
public abstract class ShapingKey
{
    private protected ShapingKey(string name, bool isForTenants) => (Name, IsForTenants) = (name, isForTenants);

    /// <summary>Connections at a time: to each host and address, and in all to what an entry names.</summary>
    public static ShapingKey<int> Connections { get; } = new("connections");

    /// <summary>How many may be begun in a time.</summary>
    public static ShapingKey<Rate> NewConnections { get; } = new("new_connections");

    /// <summary>After so many messages a connection is made anew.</summary>
    public static ShapingKey<int> MessagesPerConnection { get; } = new("messages_per_connection");

    public static ShapingKey<int> RecipientsPerTransaction { get; } = new("recipients_per_transaction");

    public static ShapingKey<Rate> Messages { get; } = new("messages", isForTenants: true);

    public static ShapingKey<Rate> Recipients { get; } = new("recipients", isForTenants: true);

    /// <summary>Octets of content.</summary>
    public static ShapingKey<Rate> Bytes { get; } = new("bytes", isForTenants: true);

    /// <summary>How long a transaction may take, beside its content.</summary>
    public static ShapingKey<TimeSpan> Deadline { get; } = new("deadline");

    /// <summary>Octets a second that content must be taken at.</summary>
    public static ShapingKey<long> MinimumRate { get; } = new("minimum_rate");

    /// <summary>The wait after the first failed attempt.</summary>
    public static ShapingKey<TimeSpan> RetryFirst { get; } = new("retry_first", isForTenants: true);

    /// <summary>The longest wait after an answer that asks to come again soon.</summary>
    public static ShapingKey<TimeSpan> Greylisted { get; } = new("greylisted", isForTenants: true);

    /// <summary>Answers in a row that it is too much, after which what waits is put off.</summary>
    public static ShapingKey<int> SuspendAfter { get; } = new("suspend_after");

    /// <summary>For how long nothing is tried then.</summary>
    public static ShapingKey<TimeSpan> SuspendFor { get; } = new("suspend_for");

    /// <summary>Codes that say that it is too much, beside those that say so everywhere.</summary>
    public static ShapingKey<ImmutableArray<string>> TooMuch { get; } = new("too_much");

    /// <summary>Every key, in the order in which it is told.</summary>
    public static ImmutableArray<ShapingKey> All { get; } =
    [
        Connections, NewConnections, MessagesPerConnection, RecipientsPerTransaction, Messages, Recipients, Bytes, Deadline, MinimumRate,
        RetryFirst, Greylisted, SuspendAfter, SuspendFor, TooMuch,
    ];

    /// <summary>The rates that a transaction has to wait for.</summary>
    public static ImmutableArray<ShapingKey<Rate>> Paces { get; } = [Messages, Recipients, Bytes];

    public string Name { get; }

    /// <summary>It can be said of a tenant. All else is about connections, which tenants share.</summary>
    public bool IsForTenants { get; }

    public override string ToString() => Name;
}

/// <summary>One whose values are of this type.</summary>
public sealed class ShapingKey<T> : ShapingKey
{
    internal ShapingKey(string name, bool isForTenants = false)
        : base(name, isForTenants)
    {
    }
}
