using Postern.Smtp.Replies;

namespace Postern.Smtp.Policy;

/// <summary>What a policy says to one question. The session treats anything but a permit as a refusal.</summary>
public abstract record Verdict
{
    private Verdict()
    {
    }

    /// <summary>Yes, because <paramref name="Rule"/> said so.</summary>
    public sealed record Permit(string Rule) : Verdict;

    /// <summary>No, with this reply, because <paramref name="Rule"/> said so.</summary>
    public sealed record Refuse(Reply Reply, string Rule) : Verdict;

    /// <summary>Nothing to say.</summary>
    public sealed record Pass : Verdict
    {
        private Pass()
        {
        }

        /// <summary>The one there is.</summary>
        public static Pass Instance { get; } = new();
    }
}
