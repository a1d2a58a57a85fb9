using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Postern.Relay.Spool.Segments.Recovery;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// <see cref="DeliveryState"/> as it is written (docs/spool-format.md). Null <see cref="Recipients"/> means all pending, none tried.
/// </summary>
internal sealed record StoredState(int Attempts, DateTimeOffset Next, bool Held, DelayReports Reported, StoredRecipient[]? Recipients)
{
    /// <summary>A message to more recipients has many of the same fate, and its state is written after each of very many jobs.</summary>
    public const int MostListed = 100;

    /// <summary>
    /// Which of <see cref="Recipients"/> each recipient is, where those are the different ones only; null where there is one for each.
    /// </summary>
    public int[]? Each { get; init; }

    public DateTimeOffset? HeldByServer { get; init; }

    /// <summary>The rule that held it when it arrived, with its reason and the time.</summary>
    public string? HeldRule { get; init; }

    public string? HeldWhy { get; init; }

    public DateTimeOffset? HeldAt { get; init; }

    public DateTimeOffset? Tried { get; init; }

    public bool Ended { get; init; }

    public string? NotReported { get; init; }

    public string? Via { get; init; }

    /// <summary>Why recipients are to be given up, and which.</summary>
    public string? ReturnWhy { get; init; }

    public int[]? Return { get; init; }

    public static StoredState Of(DeliveryState state)
    {
        var (recipients, each) = Fates(state.Recipients);
        return new StoredState(state.Attempts, state.NextAttempt, state.Held, state.Reported, recipients)
        {
            Each = each,
            HeldByServer = state.HeldByServerAt,
            HeldRule = state.HeldFor?.Rule,
            HeldWhy = state.HeldFor?.Text,
            HeldAt = state.HeldFor?.At,
            Tried = state.TriedAt,
            Ended = state.HasEnded,
            NotReported = state.NotReported,
            Via = state.Via,
            ReturnWhy = state.Return?.Why,
            Return = state.Return is { } order ? [.. order.Recipients] : null,
        };
    }

    /// <exception cref="FormatException">Not for so many recipients.</exception>
    public DeliveryState ToState(int recipients, ReplayWords words)
    {
        var states = Recipients is null ? DeliveryState.Fresh(recipients, Next).Recipients : Spread(words.States(Recipients));
        if (states.Length != recipients)
            throw new FormatException($"a state of {states.Length} recipients for a message of {recipients}");
        return new DeliveryState(Attempts, Next, Held, states)
        {
            Reported = Reported,
            HeldByServerAt = HeldByServer,
            HeldFor = HeldRule is { } rule && HeldAt is { } heldAt ? new HoldReason(rule, HeldWhy ?? string.Empty, heldAt) : null,
            TriedAt = Tried,
            HasEnded = Ended,
            NotReported = NotReported,
            Via = Via,
            // What is not said of this message's recipients is said of none.
            Return = ReturnWhy is { } why && Return is { } order && Array.TrueForAll(order, i => i >= 0 && i < recipients)
                ? new ReturnOrder(why, [.. order])
                : null,
        };
    }

    /// <summary>What is written of the recipients: <see cref="Recipients"/> and <see cref="Each"/>.</summary>
    private static (StoredRecipient[]? Recipients, int[]? Each) Fates(ImmutableArray<RecipientState> states)
    {
        if (states.All(static r => r == RecipientState.Pending))
            return (null, null);
        if (states.Length <= MostListed)
            return ([.. states.Select(StoredRecipient.Of)], null);
        var (fates, numbers) = (new List<StoredRecipient>(), new Dictionary<RecipientState, int>());
        var each = new int[states.Length];
        for (var i = 0; i < each.Length; i++)
        {
            if (numbers.TryGetValue(states[i], out each[i]))
                continue;
            numbers.Add(states[i], each[i] = fates.Count);
            fates.Add(StoredRecipient.Of(states[i]));
        }

        return ([.. fates], each);
    }

    private ImmutableArray<RecipientState> Spread(ImmutableArray<RecipientState> fates)
    {
        if (Each is null)
            return fates;
        return Array.TrueForAll(Each, i => i >= 0 && i < fates.Length)
            ? [.. Each.Select(i => fates[i])]
            : throw new FormatException("a recipient has a fate that is not there");
    }
}

/// <summary><see cref="RecipientState"/> as it is written.</summary>
internal sealed record StoredRecipient(RecipientStatus Status, string? Reply)
{
    public int Attempt { get; init; }

    public int? Code { get; init; }

    /// <summary>Where this and those beside it are not there, nothing is known of the answer.</summary>
    public string? Enhanced { get; init; }

    public string? Trouble { get; init; }

    public bool Verbatim { get; init; }

    /// <summary>It stood for others; whoever does not know this reads that it is delivered, and is done with it too.</summary>
    public bool Expanded { get; init; }

    [JsonIgnore]
    public RecipientStatus Meant => Expanded ? RecipientStatus.Expanded : Status;

    public RecipientState ToState() => new(Meant, Reply)
    {
        Attempt = Attempt,
        Answer = this is { Code: null, Enhanced: null, Trouble: null, Verbatim: false }
            ? null
            : new AnswerFacts(Code, Enhanced, Trouble, Verbatim),
    };

    public static StoredRecipient Of(RecipientState state) =>
        new(state.Status == RecipientStatus.Expanded ? RecipientStatus.Delivered : state.Status, state.LastReply)
        {
            Attempt = state.Attempt,
            Code = state.Answer?.Code,
            Enhanced = state.Answer?.Status,
            Trouble = state.Answer?.Trouble,
            Verbatim = state.Answer?.IsVerbatim == true,
            Expanded = state.Status == RecipientStatus.Expanded,
        };
}

/// <summary>The state of a message, in the record of another.</summary>
internal sealed record StoredSettlement(string Id, StoredState State);

/// <summary>The JSON inside the records.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(StoredEnvelope))]
[JsonSerializable(typeof(StoredState))]
internal sealed partial class SpoolJson : JsonSerializerContext;
