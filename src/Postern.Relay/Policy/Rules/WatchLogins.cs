using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using Postern.Relay.Policy.Explaining;
using Postern.Relay.Policy.Watching;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Tells from what a login does whether somebody else has its password: from where it sends, to how many, whom it never wrote to, each
/// against its own history. A score of parts leads to steps: it is slowed, its messages are held, it is suspended.
/// </summary>
internal sealed class WatchLogins : IRelayRule
{
    public const string Word = "watch_logins";

    private const string Steps =
        "a login that sends unlike its own history is slowed (refuse, 450), its messages are held, or it is suspended (refuse, 550), "
            + "by a score of parts ([how](stolen-logins.md))";

    private static readonly ArgumentKind<int> Points = new(
        "points or `none`", "a number of points from 1 to 1000, or none", static (string text, out int value) =>
        {
            value = WatchLevels.Never;
            return text == "none"
                || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value is >= 1 and <= 1000);
        });

    private static readonly ArgumentKind<bool> Whom = ArgumentKinds.Word(("credential", false), ("account", true));

    private static readonly RuleAnswer AsAlways = new RuleAnswer.Pass("as always");

    private readonly WatchLevels levels = WatchLevels.Usual;
    private readonly bool isOfMessage;
    private readonly string countries = string.Empty;
    private readonly string operators = string.Empty;

    public WatchLogins()
    {
    }

    private WatchLogins(WatchLevels levels, bool isOfMessage, string countries, string operators) =>
        (this.levels, this.isOfMessage, this.countries, this.operators) = (levels, isOfMessage, countries, operators);

    public string Name => Word;

    public string Doc => $"pass; {Steps}";

    public RuleStage Stages => RuleStage.Recipient | RuleStage.Message;

    public string ArgumentsDoc =>
        "`watch_logins` in a list of rules: a login that somebody else uses is slowed, its messages are held, it is suspended. "
            + "At recipient it counts recipients, at message authors and subjects: write it into both, before what permits.";

    public IRelayRule With(RuleStage stage, RuleArguments arguments)
    {
        var usual = WatchLevels.Usual;
        return new WatchLogins(
            new WatchLevels(
                arguments.Value("throttle", Points, usual.Throttle, "60", "From how many points on one recipient a minute is taken."),
                arguments.Value("hold", Points, usual.Hold, "75", "From how many points on messages wait for `postern queue release`."),
                arguments.Value("suspend", Points, usual.Suspend, "100", "From how many points on the login is suspended."),
                arguments.Value("suspend_for", ArgumentKinds.Age, usual.SuspendFor, "1d", "For how long."),
                usual.Every)
            {
                SuspendsAccount = arguments.Value(
                    "whom", Whom, fallback: false, "`credential`", "What is suspended, where the login is by one of several secrets."),
            },
            stage == RuleStage.Message,
            arguments.Value(
                "countries",
                ArgumentKinds.Path,
                string.Empty,
                "none",
                "A database of your own that says in which country an address is (.mmdb: MaxMind, DB-IP, IPinfo). "
                    + "Read again when it changes."),
            arguments.Value(
                "operators", ArgumentKinds.Path, string.Empty, "none", "The same of the autonomous system that an address belongs to."));
    }

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) =>
        WatchedLogin.Of(context.Facts) is not { } login ? new(new RuleAnswer.Pass("not logged in"))
            : isOfMessage && context.Header is null ? new(new RuleAnswer.Pass("the header is not known"))
            : countries.Length + operators.Length == 0 ? new(Judge(context, login, country: 0, system: 0))
            : JudgeAsync(context, login, ct);

    private async ValueTask<RuleAnswer> JudgeAsync(RuleContext context, WatchedLogin login, CancellationToken ct) =>
        Judge(context, login, await PlaceAsync(context, countries, ct), await PlaceAsync(context, operators, ct));

    /// <summary>What cannot be read is not scored: for want of a database nobody is refused.</summary>
    private static async ValueTask<uint> PlaceAsync(RuleContext context, string path, CancellationToken ct)
    {
        if (path.Length == 0)
            return 0;
        try
        {
            var place = (await context.Tables.FindPlacesAsync(path, ct)).Find(context.Facts.Client);
            context.Watch.MissPlaces(path, problem: null);
            return place;
        }
        catch (Exception e) when (e is IOException or MaxMind.Db.InvalidDatabaseException)
        {
            context.Watch.MissPlaces(path, e.Message);
            return 0;
        }
    }

    private RuleAnswer Judge(RuleContext context, WatchedLogin login, uint country, uint system)
    {
        var sending = (isOfMessage ? OfMessage(context) : OfRecipient(context)) with { Country = country, System = system };
        var answer = context.Watch.Judge(login, sending, levels, counts: !context.IsDryRun);
        return answer switch
        {
            null => new RuleAnswer.Pass("what this login does otherwise is unknown: no server was asked") { Lacks = Lack.Counter },
            { Score.Points: 0, Step: WatchStep.None } => AsAlways,
            _ => Answer(context, login, answer),
        };
    }

    private RuleAnswer Answer(RuleContext context, WatchedLogin login, WatchAnswer answer)
    {
        var saw = Saw(login, answer);
        var take = () => context.Watch.Take(login, context.Facts.Client, answer, levels);
        return answer switch
        {
            { Step: WatchStep.Suspend } => new RuleAnswer.Refuse(Refusals.Unusual(context), saw, Forgive(login))
            {
                Act = take,
                Mend = static world => world.IsForgiven = true,
            },
            { Step: WatchStep.Hold } => new RuleAnswer.Pass(saw, Forgive(login))
            {
                Act = take,
                Effect = new MessageEffect.Hold($"{Word}: {answer.Score}"),
            },
            { Step: WatchStep.Throttle, Passes: false } when !context.IsDryRun => new RuleAnswer.Refuse(
                Refusals.Slowed(context), saw, Forgive(login))
            {
                Act = take,
                Mend = static world => world.IsForgiven = true,
            },
            { Step: WatchStep.Throttle } => new RuleAnswer.Pass($"{saw}; one recipient a minute is taken") { Act = take },
            _ => new RuleAnswer.Pass(saw),
        };
    }

    private string Saw(WatchedLogin login, WatchAnswer answer)
    {
        var least = Math.Min(levels.Throttle, Math.Min(levels.Hold, levels.Suspend));
        var kept = answer.Step > levels.StepAt(answer.Score.Points) ? "; it is held for a day" : string.Empty;
        var of = least == WatchLevels.Never ? string.Empty : string.Create(CultureInfo.InvariantCulture, $" of {least}");
        return string.Create(CultureInfo.InvariantCulture, $"{login}: score {answer.Score.Points}{of}: {answer.Score}{kept}");
    }

    private static Remedy Forgive(WatchedLogin login) =>
        (_, _) => new($"postern logins forgive {Remedies.Quote(login.ToString())}");

    private static Sending OfRecipient(RuleContext context) => Of(context) with
    {
        Recipient = context.Recipient is { } recipient ? Hash(recipient.Canonical) : 0,
        Domain = context.Recipient is { } to ? Hash(to.Domain.Text) : 0,
        Author = context.Sender.Mailbox is { } sender ? Hash(sender.Canonical) : 0,
    };

    private static Sending OfMessage(RuleContext context)
    {
        var header = context.Header!;
        var authors = HeaderFacts.MailboxesIn(header.From, out _);
        return Of(context) with
        {
            Author = authors.Count > 0 ? Hash(authors[0].Canonical) : 0,
            Subject = header.Subject is { } subject ? (uint)Hash(subject) | 1 : 0,
            Copies = context.Question.Recipients.Length,
        };
    }

    private static Sending Of(RuleContext context)
    {
        var client = context.Facts.Client;
        Span<byte> octets = stackalloc byte[16];
        client.TryWriteBytes(octets, out var length);
        var isV4 = client.AddressFamily == AddressFamily.InterNetwork;
        var network = isV4
            ? BinaryPrimitives.ReadUInt32BigEndian(octets) >> 8
            : (uint)Mixed(BinaryPrimitives.ReadUInt64BigEndian(octets) >> 16);
        return new Sending(Math.Max(1, network), Country: 0, System: 0, context.Clock.GetUtcNow())
        {
            Client = Mixed(isV4 ? BinaryPrimitives.ReadUInt32BigEndian(octets) : BinaryPrimitives.ReadUInt64BigEndian(octets)),
        };
    }

    /// <summary>FNV-1a, mixed; the same in every process, as histories outlive one. Never 0.</summary>
    private static ulong Hash(ReadOnlySpan<char> text)
    {
        var hash = 14695981039346656037UL;
        foreach (var letter in text)
            hash = (hash ^ letter) * 1099511628211UL;
        return Mixed(hash);
    }

    private static ulong Mixed(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return (value ^ (value >> 31)) | 1;
    }
}
