using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Transports;

/// <summary>One open session with one host, and what it has carried.</summary>
internal sealed class HopSession(HopConnection.Open connection, int messagesPerConnection, TimeProvider clock) : IAsyncDisposable
{
    private readonly SmtpClientDialogue dialogue = connection.Dialogue;
    private readonly string? tls = connection.Dialogue.Tls?.Version;
    private int transactions;
    private bool hasCarried;

    public HopPlace Place => connection.Place;

    public bool IsOpen => dialogue.IsOpen && transactions < messagesPerConnection;

    /// <summary>The envelope of the message that follows may have been sent ahead: the next transaction is that one.</summary>
    public bool IsBespoken { get; private set; }

    /// <summary>Makes one transaction; an outcome for each recipient.</summary>
    /// <param name="begunAt">The attempt; a timestamp of the clock.</param>
    public async ValueTask<Outcome[]> SendAsync(OutgoingMessage message, OutgoingMessage? following, long begunAt, CancellationToken ct)
    {
        var isLast = ++transactions >= messagesPerConnection;
        IsBespoken = !isLast && following is not null;
        var answers = await dialogue.SendAsync(message, isLast ? null : following, ct).ConfigureAwait(false);
        var outcomes = new ClientOutcomes(Place.Remote, tls, dialogue.Extensions, clock.GetElapsedTime(begunAt)) { IsReused = transactions > 1, HasCarried = hasCarried, IsVerified = dialogue.IsVerified }.Of(answers);
        hasCarried |= Array.Exists(outcomes, static o => o is Outcome.Delivered);
        return outcomes;
    }

    public async ValueTask DisposeAsync()
    {
        // Where an envelope was sent ahead the server may wait for content, and would take QUIT for it.
        if (!IsBespoken)
            await dialogue.QuitAsync(CancellationToken.None).ConfigureAwait(false);
        await dialogue.DisposeAsync().ConfigureAwait(false);
    }
}
