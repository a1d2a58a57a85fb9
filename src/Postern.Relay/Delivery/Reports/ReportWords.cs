namespace Postern.Relay.Delivery.Reports;

/// <summary>How a report speaks of what happened, to people and (<paramref name="Action"/>) to programs.</summary>
/// <param name="What">Goes on in "the recipient below."</param>
/// <param name="Answer">Introduces what the server said.</param>
/// <param name="Ours">Introduces words of this program.</param>
internal sealed record ReportWords(string Action, string Subject, string What, string Then, string Answer, string Ours = "Reason:")
{
    private static readonly ReportWords Failed = new(
        "failed",
        "Your message could not be delivered",
        "could not be delivered to",
        "It will not be tried again.",
        "The receiving server refused it:");

    private static readonly ReportWords Relayed = new(
        "relayed",
        "Your message was passed on",
        "was passed on for",
        "The next server took it and may not report what becomes of it.",
        "The next server answered:",
        "What was done:");

    private static readonly ReportWords Delivered = new(
        "delivered",
        "Your message was delivered",
        "was delivered to",
        "You need not do anything.",
        "The mailbox answered:",
        "What was done:");

    private static readonly ReportWords Expanded = new(
        "expanded",
        "Your message was sent on",
        "was sent on for",
        "It stands for several addresses. You hear of it where one of them cannot be reached.",
        "The next server answered:",
        "What was done:");

    private static readonly ReportWords Delayed = new(
        "delayed",
        "Your message is delayed",
        "has not been delivered yet to",
        "You need not send it again.",
        "The receiving server answered:");

    public static ReportWords Of(ReportAction action) => action switch
    {
        ReportAction.Relayed => Relayed,
        ReportAction.Delivered => Delivered,
        ReportAction.Expanded => Expanded,
        ReportAction.Delayed => Delayed,
        _ => Failed,
    };
}
