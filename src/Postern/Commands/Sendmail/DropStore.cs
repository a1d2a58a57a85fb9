using Postern.Hosting.Drop;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Commands.Sendmail;

/// <summary>The drop directory as the server of an SMTP dialogue on standard input sees it.</summary>
/// <param name="user">As whom the messages are sent, where their files will not say; else null.</param>
internal sealed class DropStore(string directory, string? user, TimeProvider clock) : IMessageStore
{
    /// <summary>All that a file there keeps and the server takes from it.</summary>
    public StoreFeatures Honours =>
        StoreFeatures.DeliveryReports | StoreFeatures.Utf8 | StoreFeatures.DeliverBy | StoreFeatures.Hold;

    public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct)
    {
        try
        {
            return new(new DraftAnswer.Open(new Draft(DropWriter.Begin(directory, Kept(transaction.Envelope), user, clock))));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(new DraftAnswer.Refuse(NotNow(e)));
        }
    }

    /// <summary>The size is the file's to know.</summary>
    private static SmtpEnvelope Kept(SmtpEnvelope said) => said with { Parameters = said.Parameters with { DeclaredSize = null } };

    private static Reply NotNow(Exception e) => new(451, new EnhancedStatus(4, 3, 0), $"The message cannot be left: {e.Message}");

    private sealed class Draft(DropWriter writer) : IMessageDraft
    {
        private Exception? failure;

        public async ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken ct)
        {
            try
            {
                if (failure is null)
                    await writer.AppendAsync(content, ct);
            }
            catch (IOException e)
            {
                failure = e;
            }
        }

        public async ValueTask<StoreOutcome> CommitAsync(CancellationToken ct)
        {
            try
            {
                if (failure is null)
                {
                    await writer.CommitAsync(ct);
                    return new StoreOutcome.Stored(writer.Name);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                failure = e;
            }

            return new StoreOutcome.Refused(NotNow(failure));
        }

        public async ValueTask DisposeAsync()
        {
            try
            {
                await writer.DisposeAsync();
            }
            catch (IOException)
            {
                // What could not be written cannot be flushed either; the answer has said so.
            }
        }
    }
}
