-- What a webhook's owner permits at most: requests in flight at once, and requests a second. NULL is no ceiling.
ALTER TABLE webhook ADD COLUMN max_in_flight INTEGER;
ALTER TABLE webhook ADD COLUMN rate_per_s INTEGER;
-- Requests that its receiver was last found to bear at once; NULL while nothing out of the ordinary is known.
ALTER TABLE webhook ADD COLUMN concurrency INTEGER;
