using Postern.Relay.Delivery.Bounces;
using Postern.Relay.Delivery.Places;
using Postern.Relay.Delivery.Tls.Sts;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy.Services;
using Postern.Relay.Spool;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// Asks the next hop of a recipient by the code of a delivery: the same route, hosts, TLS and login, MAIL with the null sender, RCPT, and
/// QUIT. Each question has a connection of its own, beside all that is counted.
/// </summary>
internal sealed class RecipientProbe(DeliveryOptions options, TimeProvider clock) : IRecipientProbe
{
    /// <summary>Most configurations never ask.</summary>
    private readonly Lazy<SmtpDelivery> delivery = new(
        () => new SmtpDelivery(options, clock, listeners: null, new StsCache(directory: null, clock)));

    public async ValueTask<ProbeAnswer> AskAsync(Mailbox recipient, CancellationToken ct)
    {
        var envelope = new Envelope { Id = default, ArrivedAt = default, Said = new(ReversePath.Null, [recipient]) };
        switch (options.Routes.Choose(envelope, recipient).Hop)
        {
            case null:
                return new ProbeAnswer.Unavailable("there is no route: mail waits, and no server can be asked");
            case NextHop.Elsewhere { Place: ErrorPlace { Code: >= 500 } error }:
                return new ProbeAnswer.Unknown($"its route says {error.Name}");
            case NextHop.Elsewhere { Place: var place }:
                return new ProbeAnswer.Known($"its mail goes to {place.Name}, which refuses nobody");
            case var hop:
                return await AskAsync(hop, recipient, ct).ConfigureAwait(false);
        }
    }

    private async ValueTask<ProbeAnswer> AskAsync(NextHop hop, Mailbox recipient, CancellationToken ct)
    {
        var connector = delivery.Value.Connector;
        var trail = connector.Begin(hop, clock.GetTimestamp());
        ProbeAnswer? failure = null;
        for (var tried = 0; tried < options.AddressesPerAttempt; tried++)
        {
            if (await trail.NextEndpointAsync(ct).ConfigureAwait(false) is not { } endpoint)
                break;
            if ((connector.WhyOurs(endpoint) ?? connector.WhyNot(endpoint)) is { } refused)
            {
                failure ??= new ProbeAnswer.Unavailable(refused.Reply);
                continue;
            }

            switch (await connector.TryAsync(endpoint, ct).ConfigureAwait(false))
            {
                case HopConnection.Open open:
                    return await AskAsync(open.Dialogue, endpoint.Remote, recipient, ct).ConfigureAwait(false);
                case HopConnection.Closed(var outcome):
                    failure ??= new ProbeAnswer.Unavailable($"{endpoint.Remote}: {outcome.Reply}");
                    break;
                default:
                    throw new InvalidOperationException("Unknown connection");
            }
        }

        // A domain that has no server, or takes no mail, takes none for this recipient.
        return failure ?? trail.Worst switch
        {
            Outcome.Failed { Reply: var why } => new ProbeAnswer.Unknown(why),
            { Reply: var why } => new ProbeAnswer.Unavailable(why),
            null => new ProbeAnswer.Unavailable("it has no server that could be asked"),
        };
    }

    /// <summary>A refusal of this server, of the null sender or for too much mail says nothing of the recipient.</summary>
    private bool IsOfRecipient(Reply reply) =>
        options.Bounces.WordOf(new AnswerFacts(reply.Code, reply.Status?.ToString(), Trouble: null, IsVerbatim: true), reply.ToString())
            is var word && (word == "refused" || BounceCategory.Find(word) is { IsHard: true });

    private async ValueTask<ProbeAnswer> AskAsync(
        SmtpClientDialogue dialogue, string remote, Mailbox recipient, CancellationToken ct)
    {
        await using (dialogue.ConfigureAwait(false))
        {
            if (!recipient.IsAscii && !dialogue.Extensions.Has("SMTPUTF8"))
                return new ProbeAnswer.Unavailable($"{remote} takes no addresses in UTF-8");
            var answer = await dialogue.ProbeAsync(ReversePath.Null, recipient, ct).ConfigureAwait(false);
            await dialogue.QuitAsync(ct).ConfigureAwait(false);
            return answer switch
            {
                ClientAnswer.Accepted(var reply) => new ProbeAnswer.Known($"{remote} says {PolicyAction.Shown(reply.ToString())}"),
                ClientAnswer.Refused(ClientPhase.Rcpt, { IsTransient: false } reply) when IsOfRecipient(reply) =>
                    new ProbeAnswer.Unknown($"{remote} says {PolicyAction.Shown(reply.ToString())}"),
                ClientAnswer.Refused(var phase, var reply) =>
                    new ProbeAnswer.Unavailable($"{remote} says to {phase}: {PolicyAction.Shown(reply.ToString())}"),
                ClientAnswer.Broken(_, _, var detail) => new ProbeAnswer.Unavailable($"{remote}: {detail}"),
                _ => throw new InvalidOperationException("Unknown answer"),
            };
        }
    }
}
