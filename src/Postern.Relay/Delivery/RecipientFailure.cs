using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <summary>One recipient that a bounce reports.</summary>
/// <param name="Status">The enhanced code, such as <c>5.1.1</c>.</param>
/// <param name="Remote"><c>host[address]:port</c>; null when none was reached.</param>
/// <param name="Reply">What was answered, or our own words.</param>
/// <param name="HasExpired">It was tried until the schedule gave up; <paramref name="Reply"/> is the last answer.</param>
internal sealed record RecipientFailure(Mailbox Recipient, string Status, string? Remote, string Reply, bool HasExpired);
