using System.Buffers;
using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Policy.Limits;
using Postern.Relay.Policy.Rules;
using Postern.Relay.Policy.Rules.Effects;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Devices;

/// <summary>What printers, scanners and other machines may send: one entry of <c>devices</c>.</summary>
/// <param name="Name">Letters, digits, <c>-</c> and <c>_</c>.</param>
public sealed record DeviceTerms(string Name)
{
    /// <summary>Where they connect.</summary>
    public ImmutableArray<string> Listeners { get; init; } = [];

    /// <summary>Their networks; empty for every client, which then has to log in.</summary>
    public ImmutableArray<IPNetwork> Clients { get; init; } = [];

    public LoginNeed Login { get; init; }

    /// <summary>The sender and the author of all that they send; null where they say it themselves.</summary>
    public Mailbox? From { get; init; }

    /// <summary>Where there is no such address: what the account of their login may not send as becomes an address of it.</summary>
    public bool IsFromRewritten { get; init; }

    /// <summary>Addresses, or <c>@</c> and a domain, to which they may send; empty for any.</summary>
    public ImmutableArray<string> To { get; init; } = [];

    /// <summary>What each device may use.</summary>
    public ImmutableArray<ThingLimit> Limits { get; init; } = [];

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

    public static bool IsName(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExcept(NameCharacters);

    /// <summary>The client is one of them, if it logs in where it has to.</summary>
    internal bool Fits(string listener, IPAddress client)
    {
        if (!Listeners.Contains(listener, StringComparer.OrdinalIgnoreCase))
            return false;
        foreach (var network in Clients)
        {
            if (network.Contains(client))
                return true;
        }

        return Clients.IsEmpty;
    }

    /// <summary>What a device is counted as: by its login, where it needs one, and else by its address. Null where it has none.</summary>
    internal string? SubjectOf(EnvelopeFacts facts) =>
        (Login == LoginNeed.Required ? facts.ProvenBy ?? facts.Login : LimitWords.AddressOf(facts.Client)) is { } device
            ? $"{Name}/{device}"
            : null;

    /// <summary>
    /// The rules of a stage, of which the last decides; empty where the lists of <c>rules</c> are asked about devices too.
    /// </summary>
    internal ImmutableArray<RuleEntry> RulesAt(RuleStage stage) => stage switch
    {
        RuleStage.Client or RuleStage.Helo => Clients.IsEmpty ? [] : [Permit.Word],
        RuleStage.Sender => Rewriting(RewriteSender.Word),
        RuleStage.Message => Rewriting(RewriteHeaderFrom.Word),
        _ =>
        [
            .. To.IsEmpty ? (ImmutableArray<RuleEntry>)[] : [Saying(RejectOtherRecipients.Word, "allowed", string.Join(' ', To))],
            .. Login == LoginNeed.Required ? (ImmutableArray<RuleEntry>)[PermitAuthenticated.Word, Reject.Word] : [Permit.Word],
        ],
    };

    private ImmutableArray<RuleEntry> Rewriting(string word) =>
        From is not null ? [Saying(word, "address", From.Address), Permit.Word]
            : IsFromRewritten ? [word, Permit.Word]
            : [];

    private static RuleEntry Saying(string word, string key, string value) => new(word, ArgumentText.Of(key, value));

    /// <summary>The name of that list, which no list of a configuration has.</summary>
    internal string ListAt(RuleStage stage) => $"devices.{Name}.{stage.ToWord()}";
}

/// <summary>Whether devices log in.</summary>
public enum LoginNeed
{
    /// <summary>They send whether they have logged in or not: their network is all that is asked.</summary>
    Optional,

    /// <summary>Nothing is taken from a client that has not logged in.</summary>
    Required,
}
