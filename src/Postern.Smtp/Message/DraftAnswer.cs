using Postern.Smtp.Replies;

namespace Postern.Smtp.Message;

/// <summary>The store's answer at DATA.</summary>
public abstract record DraftAnswer
{
    private DraftAnswer()
    {
    }

    /// <summary>The content may come. The session disposes <paramref name="Draft"/>.</summary>
    public sealed record Open(IMessageDraft Draft) : DraftAnswer;

    /// <summary>Not now or not this one; the client reads <paramref name="Reply"/> before it has sent the content.</summary>
    public sealed record Refuse(Reply Reply) : DraftAnswer;
}
