namespace Postern.Relay.Admin.Domains;

/// <summary>One thing about a domain that receivers look at.</summary>
/// <param name="Topic"><c>PTR</c>, <c>SPF</c>, <c>DKIM</c>, <c>DMARC</c>, <c>MX</c> or <c>MTA-STS</c>.</param>
/// <param name="Words">What is there.</param>
/// <param name="Todo">What to do about it; null where there is nothing to do.</param>
public sealed record DomainFinding(string Topic, DomainGrade Grade, string Words, string? Todo = null);

/// <summary>How a finding is meant.</summary>
public enum DomainGrade
{
    Good,

    /// <summary>Mail arrives without it; better with.</summary>
    Hint,

    /// <summary>Receivers refuse mail for it, or take it for a forgery.</summary>
    Mend,

    /// <summary>DNS did not answer: nothing is known.</summary>
    Unknown,
}
