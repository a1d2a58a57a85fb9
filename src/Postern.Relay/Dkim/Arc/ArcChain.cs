using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Dkim.Verification;

namespace Postern.Relay.Dkim.Arc;

/// <summary>The ARC sets of a message, as they came (RFC 8617 §4.2), and whether they are a chain (§5.2).</summary>
internal sealed class ArcChain
{
    public const string ResultsName = "ARC-Authentication-Results";
    public const string MessageSignatureName = "ARC-Message-Signature";
    public const string SealName = "ARC-Seal";

    /// <summary>RFC 8617 §4.2.1.</summary>
    public const int MostSets = 50;

    private readonly FieldIndex fields;
    private readonly ImmutableArray<Set> sets;
    private readonly string? problem;

    private ArcChain(FieldIndex fields, ImmutableArray<Set> sets, int highest, string? problem) =>
        (this.fields, this.sets, Highest, this.problem) = (fields, sets, highest, problem);

    /// <summary>The highest instance that any field has; 0 where there is none.</summary>
    public int Highest { get; }

    /// <summary>The newest seal says that the chain has failed: that stays so, and nothing is put on top of it (§5.1).</summary>
    public bool HasFailedBefore { get; private init; }

    /// <summary>There are fields of ARC, whatever they are worth.</summary>
    public bool IsThere { get; private init; }

    /// <summary>The signature over the message that counts: the newest; null where the sets are no chain.</summary>
    public MessageSignature? Newest { get; private init; }

    public static ArcChain Read(FieldIndex fields)
    {
        var found = new SortedDictionary<int, Set>();
        string? wrong = null;
        var count = 0;
        foreach (var name in (string[])[ResultsName, MessageSignatureName, SealName])
        {
            foreach (var field in fields.Of(name))
            {
                if (++count > 3 * MostSets || InstanceOf(name, fields[field], out var tags) is not { } instance)
                {
                    wrong ??= count > 3 * MostSets ? "more than 50 sets" : $"an {name} without a right instance";
                    continue;
                }

                var set = found.GetValueOrDefault(instance) ?? new Set(instance);
                if (!set.TryAdd(name, field, tags))
                    wrong ??= string.Create(CultureInfo.InvariantCulture, $"instance {instance} has two of {name}");
                found[instance] = set;
            }
        }

        ImmutableArray<Set> all = [.. found.Values];
        var highest = all.IsEmpty ? 0 : all[^1].Instance;
        wrong ??= all.Select((set, i) => set.WhyNot(i + 1, isNewest: i == all.Length - 1)).FirstOrDefault(static why => why is not null);
        MessageSignature? newest = null;
        if (wrong is null && !all.IsEmpty)
        {
            newest = MessageSignature.Read(all[^1].MessageSignature!.Value, all[^1].MessageTags, isDkim: false, out wrong);
            if (newest?.Names.Contains(SealName, StringComparer.OrdinalIgnoreCase) == true)
                wrong = $"the message signature is over {SealName}";
        }

        return new ArcChain(fields, all, highest, wrong)
        {
            IsThere = count > 0,
            HasFailedBefore = highest > 0 && all[^1].ChainWord == "fail",
            Newest = wrong is null ? newest : null,
        };
    }

    /// <summary>Validates the newest signature over the message, and all seals from the newest on (§5.2).</summary>
    public async ValueTask<ArcVerdict> JudgeAsync(SignatureCheck check, KeyLookup keys)
    {
        if (!IsThere)
            return new ArcVerdict.None();
        if (problem is not null)
            return new ArcVerdict.Fail(problem);
        if (HasFailedBefore)
            return new ArcVerdict.Fail("it had failed before");
        switch (await check.VerifyAsync(Newest!).ConfigureAwait(false))
        {
            case (SignatureResult.TempError, var why):
                return new ArcVerdict.Unknown(why!);
            case (not SignatureResult.Pass, var why):
                return new ArcVerdict.Fail(why!);
        }

        for (var i = sets.Length - 1; i >= 0; i--)
        {
            if (await JudgeSealAsync(i, keys).ConfigureAwait(false) is { } verdict)
                return verdict;
        }

        return new ArcVerdict.Pass();
    }

    /// <summary>
    /// The fields that a seal is over (§5.1.1): all sets from the first on, as they are signed, and the seal itself without a value.
    /// </summary>
    /// <param name="upTo">The place of the seal's set, from 0.</param>
    public byte[] SignedBefore(int upTo)
    {
        var signed = new ArrayBufferWriter<byte>(4096);
        for (var i = 0; i < upTo; i++)
            Write(signed, sets[i].Results!.Value, sets[i].MessageSignature!.Value, sets[i].Seal!.Value);
        return signed.WrittenSpan.ToArray();
    }

    private async ValueTask<ArcVerdict?> JudgeSealAsync(int place, KeyLookup keys)
    {
        var set = sets[place];
        var why = string.Create(CultureInfo.InvariantCulture, $"seal {set.Instance}");
        var tags = set.SealTags!;
        if (MessageSignature.AlgorithmOf(tags) is not { } algorithm
            || !MessageSignature.TryNames(tags, out var domain, out var selector)
            || TagList.Octets(tags.GetValueOrDefault("b")) is not { } value)
            return new ArcVerdict.Fail($"{why} cannot be read");
        switch (await keys.FindAsync(domain, selector).ConfigureAwait(false))
        {
            case KeyAnswer.Unavailable(var reason):
                return new ArcVerdict.Unknown($"{why}: {reason}");
            case KeyAnswer.None(var reason):
                return new ArcVerdict.Fail($"{why}: {reason}");
            case KeyAnswer.Found(var key):
                var signed = new ArrayBufferWriter<byte>(4096);
                signed.Write(SignedBefore(place));
                Write(signed, set.Results!.Value, set.MessageSignature!.Value);
                CanonicalField.Write(signed, TagList.WithoutValue(fields[set.Seal!.Value]), DkimCanonicalization.Relaxed);
                return key.Verifies(algorithm, SHA256.HashData(signed.WrittenSpan), value)
                    ? null
                    : new ArcVerdict.Fail($"{why} does not verify");
            default:
                throw new InvalidOperationException("Unknown answer");
        }
    }

    private void Write(ArrayBufferWriter<byte> to, params ReadOnlySpan<Range> written)
    {
        foreach (var field in written)
        {
            CanonicalField.Write(to, fields[field], DkimCanonicalization.Relaxed);
            to.Write("\r\n"u8);
        }
    }

    private static int? InstanceOf(string name, ReadOnlySpan<byte> field, out Dictionary<string, string>? tags)
    {
        tags = null;
        string? text;
        if (name == ResultsName)
        {
            var body = field[(field.IndexOf((byte)':') + 1)..];
            var end = body.IndexOf((byte)';');
            var first = end < 0 ? string.Empty : Encoding.Latin1.GetString(body[..end]);
            text = string.Concat(first.Split((char[]?)null)) is ['i', '=', .. var number] ? number : null;
        }
        else
        {
            tags = TagList.Of(field);
            text = tags?.GetValueOrDefault("i");
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var instance) && instance is >= 1 and <= MostSets
            ? instance
            : null;
    }

    /// <summary>The three fields of one instance.</summary>
    private sealed class Set(int instance)
    {
        public int Instance => instance;

        public Range? Results { get; private set; }

        public Range? MessageSignature { get; private set; }

        public Range? Seal { get; private set; }

        public Dictionary<string, string>? MessageTags { get; private set; }

        public Dictionary<string, string>? SealTags { get; private set; }

        /// <summary>The tag <c>cv=</c>.</summary>
        public string? ChainWord => SealTags?.GetValueOrDefault("cv")?.ToLowerInvariant();

        /// <summary>False where there is one already.</summary>
        public bool TryAdd(string name, Range field, Dictionary<string, string>? tags)
        {
            var isFirst = name switch { ResultsName => Results, MessageSignatureName => MessageSignature, _ => Seal } is null;
            if (!isFirst)
                return false;
            switch (name)
            {
                case ResultsName:
                    Results = field;
                    break;
                case MessageSignatureName:
                    (MessageSignature, MessageTags) = (field, tags);
                    break;
                default:
                    (Seal, SealTags) = (field, tags);
                    break;
            }

            return true;
        }

        /// <summary>Why this is not the set of a place; null where it is (§5.2, step 3).</summary>
        public string? WhyNot(int place, bool isNewest)
        {
            if (instance != place || Results is null || MessageSignature is null || Seal is null)
                return string.Create(CultureInfo.InvariantCulture, $"instance {Math.Min(instance, place)} is not whole");
            if (SealTags!.ContainsKey("h"))
                return string.Create(CultureInfo.InvariantCulture, $"seal {instance} has h=");
            return ChainWord == (place == 1 ? "none" : "pass") || (isNewest && ChainWord == "fail")
                ? null
                : string.Create(CultureInfo.InvariantCulture, $"seal {instance} has a wrong cv=");
        }
    }
}
