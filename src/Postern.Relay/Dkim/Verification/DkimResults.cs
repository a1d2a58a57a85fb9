using System.Collections.Immutable;

namespace Postern.Relay.Dkim.Verification;

/// <summary>The DKIM signatures of a message: the topmost ones, as whoever wrote it says how many there are.</summary>
internal sealed class DkimResults
{
    /// <summary>Beyond that none is looked at.</summary>
    public const int Most = 10;

    private readonly List<(MessageSignature? Signature, string? Problem)> found = [];

    public DkimResults(FieldIndex fields, BodyHashes bodies)
    {
        foreach (var field in fields.Of("DKIM-Signature").Take(Most))
        {
            var signature = MessageSignature.Read(field, TagList.Of(fields[field]), isDkim: true, out var problem);
            if (signature is not null && !bodies.TryAsk(signature.Body, signature.Length))
                (signature, problem) = (null, "too many ways to hash the body");
            found.Add((signature, problem));
        }
    }

    public async ValueTask<ImmutableArray<DkimResult>> VerifyAsync(SignatureCheck check)
    {
        var results = ImmutableArray.CreateBuilder<DkimResult>(found.Count);
        foreach (var (signature, problem) in found)
        {
            if (signature is null)
            {
                results.Add(new DkimResult(null, SignatureResult.Neutral, problem));
                continue;
            }

            var (result, why) = await check.VerifyAsync(signature).ConfigureAwait(false);
            results.Add(new DkimResult(signature, result, why));
        }

        return results.MoveToImmutable();
    }
}

/// <summary>One DKIM-Signature of a message and what it is worth.</summary>
/// <param name="Signature">Null where it cannot be read.</param>
internal sealed record DkimResult(MessageSignature? Signature, SignatureResult Result, string? Why);
