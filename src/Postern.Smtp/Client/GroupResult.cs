namespace Postern.Smtp.Client;

/// <summary>What sending several messages at once came to, beside the answers to each.</summary>
/// <param name="Sent">So many of the messages, from the first on, were written; 0: the first of them goes alone.</param>
/// <param name="Trouble">
/// What the server did that one does not which keeps step with several messages at a time; null where it did nothing like that.
/// </param>
public sealed record GroupResult(int Sent, string? Trouble);
