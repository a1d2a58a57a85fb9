using System.Collections.Immutable;
using Postern.Web.Access;

namespace Postern.Web.Pages;

/// <summary>One page: where it is, who may see it, and what makes it.</summary>
/// <param name="Method">GET; POST for what a form sends.</param>
/// <param name="Template">From the root: <c>/messages/{id}</c>.</param>
/// <param name="Scope">What the caller needs; none for whoever is signed in.</param>
internal sealed record PageRoute(string Method, string Template, Scopes Scope, Func<PageCall, ValueTask<PageAnswer>> ShowAsync)
{
    /// <summary>Tenants may see it too, and see their own on it; for them all else is not there.</summary>
    public bool IsForTenants { get; init; }

    /// <summary>The query parameters that it knows; others are shown as ignored.</summary>
    public ImmutableArray<string> Names { get; init; } = [];

    /// <summary>Null for who may.</summary>
    public int? WhyNot(Caller caller) =>
        caller.IsNobody ? 401
        : caller.Tenant is not null && !IsForTenants ? 404
        : Scope != Scopes.None && !caller.May(Scope) ? 403
        : null;
}

/// <summary>What a page answers.</summary>
internal abstract record PageAnswer
{
    private PageAnswer()
    {
    }

    /// <summary>A page of ours.</summary>
    public sealed record Html(string Text, int Status = 200) : PageAnswer;

    /// <summary>Another page of ours is the answer (303).</summary>
    /// <param name="Notice">What was done, for that page to show.</param>
    public sealed record Elsewhere(string Url, string? Notice = null) : PageAnswer
    {
        /// <summary>The cookie of <see cref="Parts.Preferences"/>; null to leave it.</summary>
        public Parts.Preferences? Preferences { get; init; }
    }
}
