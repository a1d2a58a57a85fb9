using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Audit.Events;
using Postern.Web.Documents;
using Postern.Web.Parts;

namespace Postern.Web.Pages;

/// <summary>Makes the page of a message of its document.</summary>
internal static class MessageStory
{
    /// <summary>Rows of the timeline at its beginning, and at its end.</summary>
    private const int First = 15;
    private const int Last = 45;

    /// <summary>Recipients and decisions that a page has room for.</summary>
    public const int MostRecipients = 100;
    public const int MostDecisions = 20;

    /// <summary>Characters of events as JSON: a page has at most 60 kB.</summary>
    private const int MostJson = 12_000;

    public static MessageView Of(MessageDocument document)
    {
        AuditEvent[] events = [.. document.Events];
        var more = Math.Max(0, events.Length - First - Last);
        return new MessageView(document.Id, document.Summary, State.OfQueue(MessageFates.Overall(document.Recipients)))
        {
            Facts = FactsOf(document),
            Rows = RowsOf(events, more),
            MoreRows = more,
            Recipients = document.Recipients,
            MoreRecipients = document.Accepted?.MoreRecipients ?? 0,
            Decisions = [.. document.Decisions.Select(DecisionView.Of)],
            Queue = document.Queue,
        };
    }

    private static ImmutableArray<Fact> FactsOf(MessageDocument document)
    {
        var facts = ImmutableArray.CreateBuilder<Fact>();
        void Add(string label, string? text, string? url = null)
        {
            if (text is not null)
                facts.Add(new(label, text, url));
        }

        var (accepted, queued) = (document.Accepted, document.Queue);
        Add("from", (accepted?.Sender ?? queued?.Sender) is { } sender ? sender.Length == 0 ? "<>" : sender : null);
        Add("author, as the header says", accepted?.HeaderFrom);
        Add("subject", accepted?.Subject);
        Add("Message-ID", accepted?.MessageId);
        Add("size", (accepted?.Size ?? queued?.Size) is { } size ? Figures.Octets(size) : null);
        Add("login", accepted?.User ?? queued?.Login);
        Add("tenant", accepted?.Tenant ?? queued?.Tenant);
        Add("client", accepted?.Client ?? queued?.Client);
        Add("HELO, as the client says", accepted?.Origin.Helo);
        Add("TLS", accepted is null ? null
            : accepted.Tls is null ? "none"
            : string.Join(", ", new[] { accepted.Tls, accepted.Origin.Cipher, accepted.Origin.Sni }.OfType<string>()));
        Add("listener", accepted?.Listener ?? queued?.Listener);
        Add("origin, by the word of a proxy", accepted?.Forwarded);
        Add("ENVID", accepted?.EnvelopeId ?? queued?.EnvelopeId);
        var origin = accepted?.ExpandedFrom ?? queued?.ExpandedFrom;
        Add("expanded from", origin, origin is null ? null : PageUrl.OfMessage(origin));
        Add("waits for", queued?.WaitsFor);
        Add("held by rule", queued?.HeldRule is { } rule ? $"{rule}: {queued.HeldReason}" : null);
        Add("way chosen by an operator", queued?.Via);
        return facts.DrainToImmutable();
    }

    private static ImmutableArray<TimelineRow> RowsOf(AuditEvent[] events, int more)
    {
        var (rows, room) = (ImmutableArray.CreateBuilder<TimelineRow>(), MostJson);
        DateTimeOffset? before = null;
        for (var i = 0; i < events.Length; i++)
        {
            if (more > 0 && i >= First && i < First + more)
                continue;
            var json = EventPage.Line(events[i]);
            room -= json.Length;
            rows.Add(RowOf(events[i], events[i].At - before) with { Json = room >= 0 ? json : null });
            before = events[i].At;
        }

        return rows.DrainToImmutable();
    }

    private static TimelineRow RowOf(AuditEvent audit, TimeSpan? gap) => audit switch
    {
        LoginEvent login => new(login.At, gap, "Login", State.Of(login.Outcome))
        {
            Whom = login.ActingAs is null ? login.User : $"{login.User} as {login.ActingAs}",
            Facts = Known(("mechanism", login.Mechanism), ("credential", login.Credential), ("reason", login.Reason)),
        },
        DecisionEvent decision => new(decision.At, gap, "Decision", State.Of(decision.Outcome))
        {
            Whom = decision.Recipient,
            Facts =
            [
                new("rule", decision.Rule), new("reference", decision.Ref, PageUrl.OfReference(decision.Ref)),
                .. Known(("configuration", decision.Config)),
            ],
            Said = decision.Reply,
        },
        AcceptedEvent accepted => new(
            accepted.At, gap, accepted.ExpandedFrom is null ? "Accepted: on disk, answered 250" : "Queued", new("accepted", Tone.Good))
        {
            Facts = Known(
                ("size", Figures.Octets(accepted.Size)),
                ("recipients", Figures.Count((accepted.Recipients.IsDefault ? 0 : accepted.Recipients.Length) + accepted.MoreRecipients)),
                ("source", EventWord.Of(accepted.Source))),
        },
        DeliveryEvent delivery => RowOf(delivery, gap),
        BounceEvent bounce => new(
            bounce.At,
            gap,
            bounce.BounceId is null ? "No report to the sender" : "Report to the sender",
            new(bounce.BounceId is null ? "kept back" : "reported", Tone.Plain))
        {
            Whom = bounce.To.Length == 0 ? "<>" : bounce.To,
            Facts = bounce.BounceId is { } id ? [new("report", id, PageUrl.OfMessage(id))] : [],
            Said = bounce.Reason,
        },
        ExpandedEvent expanded => new(expanded.At, gap, "Names stood for others", new("expanded", Tone.Plain))
        {
            Whom = expanded.Recipients.IsDefaultOrEmpty ? null : string.Join(", ", expanded.Recipients.Take(5)),
            Facts =
            [
                .. expanded.Into is { } into ? [new Fact("into", into, PageUrl.OfMessage(into))] : ImmutableArray<Fact>.Empty,
                new("recipients", Figures.Count(expanded.Targets)),
            ],
        },
        AdminEvent admin => new(admin.At, gap, admin.Action, new("operator", Tone.Plain))
        {
            Whom = admin.Actor,
            Facts =
            [
                .. Known(("by", EventWord.Of(admin.Via)), ("from", admin.Client)),
                .. (admin.Changes.IsDefault ? [] : admin.Changes)
                    .Select(static c => new Fact(c.Field, $"{c.Before ?? "nothing"} to {c.After ?? "nothing"}")),
            ],
        },
        ServerEvent server => new(server.At, gap, server.Event.Replace('_', ' '), new("server", Tone.Plain)) { Said = server.Detail },
        _ => new(audit.At, gap, audit.Name, new("event", Tone.Plain)),
    };

    private static TimelineRow RowOf(DeliveryEvent delivery, TimeSpan? gap) => new(
        delivery.At,
        gap,
        string.Create(CultureInfo.InvariantCulture, $"Attempt {delivery.Attempt}"),
        State.Of(delivery.Outcome))
    {
        Whom = delivery.Recipient,
        Facts = Known(
            ("route", delivery.Route),
            ("host", delivery.Remote),
            ("TLS", TlsOf(delivery)),
            ("TLS trouble", delivery.TlsFault),
            ("got as far as", delivery.Phase),
            ("took", delivery.DurationMs is { } ms ? TimeWords.Span(TimeSpan.FromMilliseconds(ms)) : null),
            ("signed by", delivery.SignedBy),
            ("sent as", delivery.SentAs),
            ("certificate for", delivery.TlsTrust == "verified" ? null : delivery.CertificateFor)),
        Said = delivery.Reply,
        Hint = delivery.Outcome == DeliveryOutcome.Delivered
            ? null
            : ReplyHints.Of(delivery.Status, delivery.Category, delivery.Recipient[(delivery.Recipient.LastIndexOf('@') + 1)..]),
    };

    /// <summary>Null where no host was spoken to.</summary>
    private static string? TlsOf(DeliveryEvent delivery) => (delivery.Tls, delivery.TlsPolicy) switch
    {
        (null, null) => null,
        (null, var policy) => $"none (asked for: {policy})",
        var (version, policy) => $"{version}, {delivery.TlsTrust ?? "unverified"} (asked for: {policy ?? "-"})",
    };

    private static ImmutableArray<Fact> Known(params ReadOnlySpan<(string Label, string? Text)> facts)
    {
        var known = ImmutableArray.CreateBuilder<Fact>();
        foreach (var (label, text) in facts)
        {
            if (!string.IsNullOrEmpty(text))
                known.Add(new Fact(label, text));
        }

        return known.DrainToImmutable();
    }
}
