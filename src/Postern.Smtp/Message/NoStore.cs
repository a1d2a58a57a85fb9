using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Message;

/// <summary>Stands where no store was given: <see cref="OptionsReview"/> says so, and nothing is ever accepted.</summary>
internal sealed class NoStore : IMessageStore
{
    public static NoStore Instance { get; } = new();

    public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct) => new(new DraftAnswer.Refuse(StandardReply.InternalError));
}
