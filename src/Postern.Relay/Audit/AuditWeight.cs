namespace Postern.Relay.Audit;

/// <summary>About how many octets of memory an event holds while it waits to be written.</summary>
internal static class AuditWeight
{
    private const int Frame = 256;

    public static long Of(AuditEvent audit) => Frame + audit switch
    {
        AuditEvent.Login e => Texts(e.Session, e.Client, e.User, e.ActingAs, e.Reason),
        AuditEvent.Decision e => Texts(e.Session, e.Client, e.Helo, e.User, e.Sender, e.Recipient, e.Reply) + Chain(e),
        AuditEvent.Accepted e => Texts(e.Session, e.Client, e.User, e.Sender, e.EnvelopeId, e.Forwarded) + Recipients(e),
        AuditEvent.Refused e => Texts(e.Session, e.Client, e.User, e.Reply),
        AuditEvent.Delivery e => Texts(e.QueueId, e.Recipient, e.Remote, e.Reply),
        AuditEvent.Bounce e => Texts(e.QueueId, e.BounceId, e.To, e.Reason),
        AuditEvent.Admin e => Texts(e.Actor, e.Action, e.Target),
        AuditEvent.Server e => Texts(e.Event, e.Detail),
        _ => 0,
    };

    private static long Chain(AuditEvent.Decision decision)
    {
        var weight = 0L;
        foreach (var step in decision.Chain.IsDefault ? [] : decision.Chain)
            weight += Texts(step.Saw, step.Remedy) + Frame;
        return weight;
    }

    private static long Recipients(AuditEvent.Accepted accepted)
    {
        var weight = 0L;
        foreach (var recipient in accepted.Recipients.IsDefault ? [] : accepted.Recipients)
            weight += Texts(recipient);
        return weight;
    }

    private static long Texts(params ReadOnlySpan<string?> texts)
    {
        var weight = 0L;
        foreach (var text in texts)
            weight += text is null ? 0 : (2L * text.Length) + 24;
        return weight;
    }
}
