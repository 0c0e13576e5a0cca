"""An integration at a glance, as `trailhook status` shows it.

overview   asks for all parts of it, and says what needs attention
parts      asks for one of them, and says why it could not be read and what to do
metrics    what CloudWatch counted in a day, and how old the oldest messages are
alarms     which alarms ring, and who hears them
"""
