namespace Postern.Sasl.Verifiers;

/// <summary>A login that rests on two things, such as a credential and a grant: it holds while both do.</summary>
internal sealed class BothAuthorities(ILoginAuthority first, ILoginAuthority second) : ILoginAuthority
{
    /// <summary>The one that is there, or both; null for none.</summary>
    public static ILoginAuthority? Of(ILoginAuthority? first, ILoginAuthority? second) =>
        first is null ? second : second is null ? first : new BothAuthorities(first, second);

    public async ValueTask<LoginAnswer> ReviewAsync(CancellationToken ct) =>
        await first.ReviewAsync(ct) is var review and not LoginAnswer.Holds ? review : await second.ReviewAsync(ct);
}
