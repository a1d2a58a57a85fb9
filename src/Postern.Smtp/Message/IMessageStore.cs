using Postern.Smtp.Session;

namespace Postern.Smtp.Message;

/// <summary>Takes responsibility for messages.</summary>
public interface IMessageStore
{
    /// <summary>
    /// What this store does with what clients may ask beyond envelope and content; EHLO offers no more than that. Read once, at start.
    /// A store that says nothing promises nothing.
    /// </summary>
    StoreFeatures Honours => StoreFeatures.None;

    /// <summary>
    /// Asked at DATA, before 354, and at the first BDAT of a transaction. Answers a draft to write into, or a refusal such as 452 4.3.1 when there is no room. The session
    /// and the transaction stay valid until the draft is disposed.
    /// </summary>
    ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct);
}
