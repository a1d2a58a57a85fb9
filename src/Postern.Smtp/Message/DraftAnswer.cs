using Postern.Smtp.Replies;

namespace Postern.Smtp.Message;

/// <summary>The store's answer at DATA.</summary>
public abstract record DraftAnswer
{
    private DraftAnswer()
    {
    }

    public sealed record Open(IMessageDraft Draft) : DraftAnswer;

    public sealed record Refuse(Reply Reply) : DraftAnswer;
}
