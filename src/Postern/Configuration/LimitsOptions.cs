using Postern.Configuration.Reading;
using Postern.Configuration.Usage;
using Postern.Relay.Delivery;
using Postern.Relay.Policy.Limits;

namespace Postern.Configuration;

/// <summary><c>limits</c>: every one is finite; there is no word for "unlimited".</summary>
/// <param name="MessageSize">Octets of content.</param>
/// <param name="Memory">Octets; null for what the runtime finds.</param>
internal sealed record LimitsOptions(
    int Connections, int ConnectionsPerAddress, long MessageSize, int Recipients, TimeSpan Idle, long? Memory = null)
{
    /// <summary>Held for each login.</summary>
    public HeldLimit Held { get; init; } = new HeldLimits().Login;

    /// <summary>What logins, clients and domains may use in a time.</summary>
    public LimitTable Usage { get; init; } = LimitTable.None;

    public static LimitsOptions Read(Section section)
    {
        var options = new LimitsOptions(
            section.Value(
                "connections", Kinds.Count, 20_000, "20000", "Connections at once, all listeners together; one more is answered 421."),
            section.Value("connections_per_address", Kinds.Count, 50, "50", "Connections at once from one client address."),
            section.Value(
                "message_size",
                Kinds.Size,
                50_000_000,
                "50MB",
                "The largest message; also what EHLO announces as SIZE. KB, MB, GB count in thousands, KiB, MiB, GiB in 1024."),
            section.Value("recipients", Kinds.Count, 1_000, "1000", "Recipients of one message. RFC 5321 asks for at least 100."),
            section.Value(
                "idle",
                Kinds.Duration,
                TimeSpan.FromMinutes(5),
                "5m",
                "How long a client may be silent between commands before it is disconnected. Less under overload."),
            section.Value(
                "memory",
                Kinds.Size,
                0,
                "what the machine or its control group has",
                "What the process may use; at rest it takes about 100MB. Near the limit, mail is answered 452 until there is room again.")
                is > 0 and var memory
                ? memory
                : null)
        {
            Held = new HeldLimit(
                section.Value(
                    "held_messages",
                    Kinds.Count,
                    new HeldLimits().Login.Messages,
                    "10000",
                    "Messages that are held for one login at a time, as it asked with HOLDFOR or HOLDUNTIL; one more is "
                        + "answered 552 5.7.16."),
                section.Value("held_size", Kinds.Size, new HeldLimits().Login.Octets, "5GB", "The same in octets of content.")),
            Usage = UsageSection.Read(section),
        };

        if (options.ConnectionsPerAddress > options.Connections && section.Has("connections_per_address"))
            section.Report("connections_per_address", "more connections from one address than in all", $"at most {options.Connections}");
        return options;
    }
}
