namespace Postern.Web.Documents;

/// <param name="Lasts">In seconds; null for good.</param>
internal sealed record NewSuppression(string? Reason = null, long? Lasts = null);
