using System.Collections.Immutable;

namespace Postern.Relay.Delivery.Bounces;

/// <summary>
/// What kind of trouble kept a message from a recipient: a word for the log, the queue and those who count, and a sentence for its sender.
/// </summary>
/// <param name="Word">In lower case, with underscores; part of the log's format.</param>
/// <param name="Sentence">Plain words for the sender; <c>{0}</c> stands for the recipient's domain.</param>
/// <param name="IsHard">The address is of no use: further mail there would be refused for the same reason.</param>
public sealed record BounceCategory(string Word, string Sentence, bool IsHard = false)
{
    /// <summary>Every category that this program gives, in the order in which they are documented.</summary>
    public static ImmutableArray<BounceCategory> All { get; } =
    [
        new("no_such_user", "There is no such mailbox at {0}. Please look for a mistake in the address.", IsHard: true),
        new("no_such_domain", "The domain {0} does not exist, or takes no mail. Please look for a mistake in the address.", IsHard: true),
        new("mailbox_disabled", "The mailbox exists, and takes no mail.", IsHard: true),
        new("mailbox_full", "The mailbox is full. Its owner has to make room in it first."),
        new("mailbox_busy", "The mailbox takes no mail at present."),
        new("sender_refused", "The receiving server takes no mail from your address."),
        new("too_large", "The message is larger than the receiving server takes."),
        new("too_many_recipients", "The message has more recipients than the receiving server takes at once."),
        new("spam", "The receiving server takes the message for unsolicited mail."),
        new("malware", "The receiving server found a virus, or a file of a forbidden kind, in the message."),
        new("content_refused", "The receiving server does not take what is in the message."),
        new("authentication", "The receiving server found no proof that the message is from its sender (SPF, DKIM, DMARC)."),
        new("reputation", "The receiving server does not trust the server that the message came from."),
        new("rate_limited", "The receiving server takes only so much mail from here in a time."),
        new("greylisted", "The receiving server asks senders that are new to it to come back later."),
        new("policy", "The receiving server has rules that are against it."),
        new("server_busy", "The receiving server is busy, or has trouble of its own."),
        new("refused", "The receiving server refused it, and gave no reason that is known here."),
        new("unreachable", "The mail server of {0} does not answer."),
        new("connection_broken", "The connection to the receiving server broke off."),
        new("no_route", "No mail server can be found for {0}."),
        new("no_tls", "The message may go there encrypted only, and the receiving server cannot do that."),
        new("not_capable", "The receiving server cannot take a message of this kind."),
        new("login_failed", "This mail server could not log in at the next one. Its postmaster can mend that."),
        new("loop", "The message would go round in circles."),
        new("expired", "The time that you set for it is over."),
        new("returned", "The operator of this server returned it."),
        new("no_turn", "More mail waits here for {0} than this mail server may send there at a time."),
        new("own_shortage", "This mail server ran short of something."),
        new("own_surroundings", "This mail server has trouble with the machine that it runs on."),
        new("own_mistake", "This mail server made a mistake."),
    ];

    /// <summary>The sentence is about a server, which a command or a text of the configuration is not.</summary>
    internal bool IsOfServer => Sentence.Contains("receiving server", StringComparison.Ordinal);

    /// <summary>Null where no category is called so.</summary>
    public static BounceCategory? Find(string word) => All.FirstOrDefault(one => one.Word == word);

    internal static BounceCategory Of(string word) => Find(word) ?? throw new InvalidOperationException($"no category is called {word}");
}
